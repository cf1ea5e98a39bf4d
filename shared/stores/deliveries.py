"""Webhook deliveries: which are due, how their tries went, and a tenant's log of them.

They are enqueued by the trajectory store, in the same step as the event they carry. A
trajectory's events go to an address in the order of their ``sequence``: none is tried before
those ahead of it have been tried once. One that failed does not hold up those behind it.
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
-- Take a due delivery so that nobody else tries it meanwhile; one that is not the first of those
-- never tried is put off (2): whoever tries the first one takes it next.
-- KEYS: due, outbox, claimed   ARGV: delivery id, now, busy until, '1' if it need not be due
local id, now = ARGV[1], tonumber(ARGV[2])
local score = redis.call('ZSCORE', KEYS[1], id)
if not score or (ARGV[4] ~= '1' and tonumber(score) > now) then return 0 end
local taken = redis.call('ZSCORE', KEYS[3], id)
if taken and tonumber(taken) > now then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], id)
local waits = redis.call('ZSCORE', KEYS[2], id)
if waits and redis.call('ZRANGE', KEYS[2], 0, 0)[1] ~= id then return 2 end
redis.call('ZADD', KEYS[3], ARGV[3], id)
return 1
"""
_TRIM_AT_ONCE = 500


class DeliveryStore(Protocol):
    """Synchronous and thread safe; raises ``StoreUnavailableError`` like every store."""

    def load(self, delivery_id: str) -> Delivery | None:
        """One delivery."""
        ...

    def due(self, now: datetime, *, limit: int) -> list[str]:
        """Ids of deliveries whose next try is due, the longest waiting first."""
        ...

    def claim(self, delivery_id: str, *, now: datetime, busy_s: float) -> Delivery | None:
        """Take a due delivery for ``busy_s``; None if somebody has it or it is not its turn."""
        ...

    def record(self, delivery: Delivery, *, next_at: datetime | None) -> None:
        """Save how a try went; ``next_at`` None: there is no further try."""
        ...

    def claim_next(self, tried: Delivery, *, now: datetime, busy_s: float) -> Delivery | None:
        """Take the delivery whose turn it is now that ``tried`` was tried, due or not."""
        ...

    def trim(self, *, older_than: datetime, most: int) -> int:
        """Forget finished deliveries that are older, or beyond the newest ``most`` of a tenant.

        Gives how many; some thousands at most in one go.
        """
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
        delivery = self.load(delivery_id)
        if delivery is None:
            return None
        taken = self._take(delivery, now=now, busy_s=busy_s, forced=False)
        # Loaded again: another try may have been recorded between the two.
        return self.load(delivery_id) if taken else None

    def claim_next(self, tried: Delivery, *, now: datetime, busy_s: float) -> Delivery | None:
        """See ``DeliveryStore.claim_next``."""
        outbox = keys.outbox(tried.trajectory_id, tried.endpoint)
        with store_errors():
            first = cast("list[bytes]", self._redis.zrange(outbox, 0, 0))
        delivery = self.load(first[0].decode()) if first else None
        if delivery is None or delivery.sequence < tried.sequence:
            return None
        taken = self._take(delivery, now=now, busy_s=busy_s, forced=True)
        return delivery if taken else None

    def record(self, delivery: Delivery, *, next_at: datetime | None) -> None:
        """See ``DeliveryStore.record``."""
        outbox = keys.outbox(delivery.trajectory_id, delivery.endpoint)
        with store_errors(), self._redis.pipeline(transaction=True) as pipe:
            pipe.set(keys.delivery(delivery.id), delivery.model_dump_json())
            pipe.zrem(outbox, delivery.id)
            pipe.zrem(keys.CLAIMED, delivery.id)
            if next_at is None:
                pipe.zrem(keys.DUE, delivery.id)
                pipe.zrem(keys.UNDELIVERED, delivery.id)
            else:
                since = {delivery.id: score_of(_since(delivery, next_at))}
                pipe.zadd(keys.DUE, {delivery.id: score_of(next_at)})
                pipe.zadd(keys.UNDELIVERED, since, nx=True)
            pipe.execute()

    def trim(self, *, older_than: datetime, most: int) -> int:
        """See ``DeliveryStore.trim``."""
        with store_errors():
            logs = cast("set[bytes]", self._redis.smembers(keys.LOGS))
            return sum(self._trim(log.decode(), older_than=older_than, most=most) for log in logs)

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

    def _take(self, delivery: Delivery, *, now: datetime, busy_s: float, forced: bool) -> bool:
        outbox = keys.outbox(delivery.trajectory_id, delivery.endpoint)
        names = [keys.DUE, outbox, keys.CLAIMED]
        until = score_of(now + timedelta(seconds=busy_s))
        with store_errors():
            return self._claim(names, [delivery.id, score_of(now), until, int(forced)]) == 1

    def _trim(self, log: str, *, older_than: datetime, most: int) -> int:
        old = self._redis.zrangebyscore(log, "-inf", score_of(older_than), 0, _TRIM_AT_ONCE)
        surplus = min(self._redis.zcard(log) - most, _TRIM_AT_ONCE)
        beyond = self._redis.zrange(log, 0, surplus - 1) if surplus > 0 else []
        names = {*cast("list[bytes]", old), *cast("list[bytes]", beyond)}
        return sum(self._forget(log, name.decode()) for name in names)

    def _forget(self, log: str, delivery_id: str) -> bool:
        """Forget a delivery unless it is still tried."""
        delivery = self.load(delivery_id)
        if delivery is not None and not delivery.status.final:
            return False
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrem(log, delivery_id)
            pipe.delete(keys.delivery(delivery_id))
            if delivery is not None and delivery.endpoint is not None:
                pipe.zrem(keys.endpoint_deliveries(delivery.endpoint), delivery_id)
            pipe.execute()
        return True

    def _newest_first(self, log: str) -> list[tuple[int, str]]:
        with store_errors():
            found = self._redis.zrevrange(log, 0, -1, withscores=True)
        return [(int(score), member.decode()) for member, score in cast("list", found)]


def _since(delivery: Delivery, next_at: datetime) -> datetime:
    """Since when it is on its way: its creation, or its newest replay."""
    if not delivery.round:
        return delivery.created_at
    this_round = delivery.tries[delivery.round :]
    return this_round[0].at if this_round else next_at
