"""Public events as they are committed, for whoever follows a trajectory (asynchronous)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from shared.contracts.events import PublicEvent
from shared.stores import redis_keys as keys
from shared.stores.redis_errors import store_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

_BLOCK_MS = 2000
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Gap:
    """Events up to ``sequence`` can no longer be read; a snapshot must stand in for them."""

    sequence: int


class EventFeed:
    """Reads the event streams that ``RedisTrajectoryStore`` writes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def follow(self, trajectory_id: str, *, after: int) -> AsyncGenerator[PublicEvent | Gap]:
        """Every event above ``after`` once and in order, for ever: the caller knows when to stop.

        Where the next event is no longer there, a ``Gap`` comes first.
        """
        position = after
        oldest = await self._oldest(trajectory_id)
        if oldest > after + 1:
            position = oldest - 1
            yield Gap(position)
        while True:
            for event in await self._next(trajectory_id, position):
                if event.sequence > position + 1:
                    yield Gap(event.sequence - 1)
                position = event.sequence
                yield event

    async def latest(self, trajectory_id: str) -> int:
        """Number of the newest event, 0 when there is none."""
        with store_errors():
            found = await self._redis.xrevrange(keys.events(trajectory_id), count=1)
        return _sequence(found[0][0]) if found else 0

    async def _oldest(self, trajectory_id: str) -> int:
        """Number of the first event that can be read, or would be next (0: no trajectory)."""
        with store_errors():
            found = await self._redis.xrange(keys.events(trajectory_id), count=1)
            if found:
                return _sequence(found[0][0])
            # A record rebuilt from the journal comes without its events.
            newest = await self._redis.hget(keys.record(trajectory_id), "sequence")
        return 0 if newest is None else int(newest) + 1

    async def _next(self, trajectory_id: str, after: int) -> list[PublicEvent]:
        name = keys.events(trajectory_id)
        with store_errors():
            found = await self._redis.xread({name: f"{after}-0"}, count=_CHUNK, block=_BLOCK_MS)
        return [PublicEvent.model_validate_json(fields[b"event"]) for fields in _fields(found)]


def _sequence(entry_id: object) -> int:
    return int(cast("bytes", entry_id).split(b"-")[0])


def _fields(found: object) -> list[dict[bytes, bytes]]:
    """Entries of the one stream that was asked for, in either shape that redis-py gives."""
    if not found:
        return []
    if isinstance(found, dict):
        ((entries),) = found.values()
        entries = entries[0] if entries and isinstance(entries[0], list) else entries
    else:
        entries = cast("list", found)[0][1]
    return [fields for _, fields in entries]
