"""Webhook deliveries: which are due, how their tries went, and a tenant's log of them.

They are enqueued by the trajectory store, in the same step as the event they carry.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, cast

from shared.contracts.webhooks import Delivery, DeliveryStatus
from shared.stores import redis_keys as keys
from shared.stores.redis_errors import store_errors
from shared.stores.trajectories import format_cursor, parse_cursor, score_of

if TYPE_CHECKING:
    from redis import Redis

_GONE_KEPT_S = 7 * 24 * 3600
_CLAIM = """
-- Take a due delivery so that nobody else tries it meanwhile.
-- KEYS: due   ARGV: delivery id, now, busy until
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) > tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
return 1
"""


class DeliveryStore(Protocol):
    """Synchronous and thread safe; raises ``StoreUnavailableError`` like every store."""

    def load(self, delivery_id: str) -> Delivery | None:
        """One delivery."""
        ...

    def due(self, now: datetime, *, limit: int) -> list[str]:
        """Ids of deliveries whose next try is due, the longest waiting first."""
        ...

    def claim(self, delivery_id: str, *, now: datetime, busy_s: float) -> Delivery | None:
        """Take a due delivery for ``busy_s``; None if it is not due or somebody has it."""
        ...

    def record(self, delivery: Delivery, *, next_at: datetime | None) -> None:
        """Save how a try went; ``next_at`` None: there is no further try."""
        ...

    def replay(self, delivery_id: str, *, now: datetime) -> Delivery | None:
        """Make a delivery due again, with a whole new schedule; None if it is unknown."""
        ...

    def page(
        self, tenant: str, *, limit: int, cursor: str | None, endpoint: str | None = None
    ) -> tuple[list[Delivery], str | None]:
        """A tenant's deliveries (or those to one of its endpoints), newest first.

        The second part is the cursor of the next page.
        """
        ...

    def mark_gone(self, trajectory_id: str) -> None:
        """The address that this trajectory's request named answered 410."""
        ...

    def is_gone(self, trajectory_id: str) -> bool:
        """Whether it did, and nobody has asked for a replay since."""
        ...


class RedisDeliveryStore:
    """``DeliveryStore`` on Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._claim = redis.register_script(_CLAIM)

    def load(self, delivery_id: str) -> Delivery | None:
        """See ``DeliveryStore.load``."""
        with store_errors():
            found = cast("bytes | None", self._redis.get(keys.delivery(delivery_id)))
        return None if found is None else Delivery.model_validate_json(found)

    def due(self, now: datetime, *, limit: int) -> list[str]:
        """See ``DeliveryStore.due``."""
        with store_errors():
            found = self._redis.zrangebyscore(keys.DUE, "-inf", score_of(now), 0, limit)
        return [delivery_id.decode() for delivery_id in cast("list[bytes]", found)]

    def claim(self, delivery_id: str, *, now: datetime, busy_s: float) -> Delivery | None:
        """See ``DeliveryStore.claim``."""
        until = score_of(now + timedelta(seconds=busy_s))
        with store_errors():
            claimed = self._claim([keys.DUE], [delivery_id, score_of(now), until])
        return self.load(delivery_id) if claimed else None

    def record(self, delivery: Delivery, *, next_at: datetime | None) -> None:
        """See ``DeliveryStore.record``."""
        with store_errors(), self._redis.pipeline(transaction=True) as pipe:
            pipe.set(keys.delivery(delivery.id), delivery.model_dump_json())
            if next_at is None:
                pipe.zrem(keys.DUE, delivery.id)
            else:
                pipe.zadd(keys.DUE, {delivery.id: score_of(next_at)})
            pipe.execute()

    def replay(self, delivery_id: str, *, now: datetime) -> Delivery | None:
        """See ``DeliveryStore.replay``."""
        delivery = self.load(delivery_id)
        if delivery is None:
            return None
        again = delivery.model_copy(
            update={"status": DeliveryStatus.PENDING, "round": len(delivery.tries)}
        )
        if delivery.endpoint is None:
            with store_errors():
                self._redis.delete(keys.gone(delivery.trajectory_id))
        self.record(again, next_at=now)
        return again

    def mark_gone(self, trajectory_id: str) -> None:
        """See ``DeliveryStore.mark_gone``."""
        with store_errors():
            self._redis.set(keys.gone(trajectory_id), "1", ex=_GONE_KEPT_S)

    def is_gone(self, trajectory_id: str) -> bool:
        """See ``DeliveryStore.is_gone``."""
        with store_errors():
            return bool(self._redis.exists(keys.gone(trajectory_id)))

    def page(
        self, tenant: str, *, limit: int, cursor: str | None, endpoint: str | None = None
    ) -> tuple[list[Delivery], str | None]:
        """See ``DeliveryStore.page``."""
        log = keys.deliveries(tenant) if endpoint is None else keys.endpoint_deliveries(endpoint)
        start = parse_cursor(cursor) if cursor else None
        found: list[Delivery] = []
        last: tuple[int, str] | None = None
        for score, delivery_id in self._newest_first(log):
            if start is not None and (score, delivery_id) >= start:
                continue
            if len(found) == limit:
                return found, last and format_cursor(*last)
            last = (score, delivery_id)
            delivery = self.load(delivery_id)
            if delivery is not None and delivery.tenant == tenant:
                found.append(delivery)
        return found, None

    def _newest_first(self, log: str) -> list[tuple[int, str]]:
        with store_errors():
            found = self._redis.zrevrange(log, 0, -1, withscores=True)
        return [(int(score), member.decode()) for member, score in cast("list", found)]
