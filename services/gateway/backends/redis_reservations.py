"""Idempotency reservations in Redis: a string per name, and one more while in flight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.gateway.idempotency import IN_FLIGHT_S, KEPT_S, Reservation
from shared.stores.redis_errors import store_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis


class RedisReservationStore:
    """A ``ReservationStore`` on ``redis.asyncio``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def reserve(self, name: str, reservation: Reservation) -> Reservation | None:
        """See ``ReservationStore.reserve``."""
        with store_errors():
            found = await self._redis.set(
                _record(name), reservation.model_dump_json(), ex=KEPT_S, nx=True, get=True
            )
            return (
                Reservation.model_validate_json(found) if isinstance(found, str | bytes) else None
            )

    async def lock(self, name: str) -> bool:
        """See ``ReservationStore.lock``."""
        with store_errors():
            return bool(await self._redis.set(_lock(name), "1", ex=IN_FLIGHT_S, nx=True))

    async def finish(self, name: str, reservation: Reservation) -> None:
        """See ``ReservationStore.finish``."""
        with store_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.set(_record(name), reservation.model_dump_json(), keepttl=True)
                pipe.delete(_lock(name))
                await pipe.execute()

    async def abandon(self, name: str) -> None:
        """See ``ReservationStore.abandon``."""
        with store_errors():
            await self._redis.delete(_record(name), _lock(name))

    async def unlock(self, name: str) -> None:
        """See ``ReservationStore.unlock``."""
        with store_errors():
            await self._redis.delete(_lock(name))


def _record(name: str) -> str:
    return f"interleave:idempotency:{name}"


def _lock(name: str) -> str:
    return f"interleave:idempotency:{name}:in_flight"
