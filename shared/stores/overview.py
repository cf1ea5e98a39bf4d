"""What waits in the store, counted and dated: for whoever runs the service.

Reads only, and only what is kept in sets and lists; records of trajectories are elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, cast

from shared.contracts.admission import Lane
from shared.stores import redis_keys as keys
from shared.stores.redis_errors import store_errors

if TYPE_CHECKING:
    from redis import Redis

_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """The trajectories of one API key that wait for their turn in one lane."""

    lane: Lane
    key: str
    count: int
    oldest_id: str
    oldest_at: datetime
    """When the one that has waited longest was accepted."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """The webhooks that are still tried."""

    count: int
    oldest_at: datetime | None


class Overview(Protocol):
    """Synchronous and thread safe; raises ``StoreUnavailableError`` like every store."""

    def lines(self) -> Sequence[WaitingLine]:
        """Every line that is not empty."""
        ...

    def in_flight(self) -> int:
        """How many trajectories have been let in and have not ended."""
        ...

    def messages(self, queues: Sequence[str]) -> Mapping[str, int]:
        """How many messages wait in each queue."""
        ...

    def undelivered(self) -> Undelivered:
        """The webhooks that are still tried."""
        ...


class RedisOverview:
    """``Overview`` on Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def lines(self) -> Sequence[WaitingLine]:
        """See ``Overview.lines``."""
        found: list[WaitingLine] = []
        with store_errors():
            for lane in Lane:
                ring = self._redis.zrange(keys.admission("ring", lane), 0, -1)
                found += self._lines_of(lane, [key.decode() for key in cast("list[bytes]", ring)])
        return found

    def in_flight(self) -> int:
        """See ``Overview.in_flight``."""
        with store_errors():
            return self._redis.scard(keys.admission("admitted"))

    def messages(self, queues: Sequence[str]) -> Mapping[str, int]:
        """See ``Overview.messages``."""
        with store_errors(), self._redis.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.llen(queue)
            return dict(zip(queues, cast("list[int]", pipe.execute()), strict=True))

    def undelivered(self) -> Undelivered:
        """See ``Overview.undelivered``."""
        with store_errors():
            count = self._redis.zcard(keys.UNDELIVERED)
            oldest = self._redis.zrange(keys.UNDELIVERED, 0, 0, withscores=True)
        pairs = cast("list[tuple[bytes, float]]", oldest)
        return Undelivered(count, _moment(pairs[0][1]) if pairs else None)

    def _lines_of(self, lane: Lane, api_keys: Sequence[str]) -> list[WaitingLine]:
        with self._redis.pipeline(transaction=False) as pipe:
            for key in api_keys:
                pipe.zcard(keys.admission("waiting", lane, key))
                pipe.zrange(keys.admission("waiting", lane, key), 0, 0, withscores=True)
            answers = pipe.execute()
        lines = zip(api_keys, answers[::2], answers[1::2], strict=True)
        return [
            WaitingLine(lane, key, count, oldest[0][0].decode(), _moment(oldest[0][1]))
            for key, count, oldest in lines
            if oldest
        ]


def _moment(score: float) -> datetime:
    return datetime.fromtimestamp(score / _MICROSECONDS, UTC)
