"""How long the latest calls to each model service took: what estimates are made of.

Workers record, the gateway reads. Only the newest calls are kept, so that the figures follow
the machines. Prometheus histograms are elsewhere (``services.orchestrator.measures``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from shared.contracts.trajectories import Command, CritiqueCommand, PlanCommand
from shared.stores.redis_errors import store_errors

if TYPE_CHECKING:
    from redis import Redis

KEPT_CALLS = 200
PLAN = "plan"
CRITIQUE = "critique"


def generate_kind(generator: str) -> str:
    """The kind of a call to one generator."""
    return f"generate:{generator}"


def kind_of(command: Command, generator: str) -> str:
    """The kind of call that a command makes for a request to ``generator``."""
    match command:
        case PlanCommand():
            return PLAN
        case CritiqueCommand():
            return CRITIQUE
        case _:
            return generate_kind(generator)


class CallDurations(Protocol):
    """Seconds of successful calls by kind. Synchronous and thread safe."""

    def record(self, kind: str, seconds: float) -> None:
        """Note one call; the oldest beyond ``KEPT_CALLS`` is forgotten."""
        ...

    def recent(self, kind: str) -> list[float]:
        """The latest calls, newest first; empty if none was ever measured."""
        ...


class RedisCallDurations:
    """``CallDurations`` in one Redis list per kind."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def record(self, kind: str, seconds: float) -> None:
        """See ``CallDurations.record``."""
        with store_errors(), self._redis.pipeline(transaction=False) as pipe:
            pipe.lpush(_key(kind), f"{seconds:.4f}")
            pipe.ltrim(_key(kind), 0, KEPT_CALLS - 1)
            pipe.execute()

    def recent(self, kind: str) -> list[float]:
        """See ``CallDurations.recent``."""
        with store_errors():
            found = cast("list[bytes]", self._redis.lrange(_key(kind), 0, -1))
        return [float(each) for each in found]


def _key(kind: str) -> str:
    return f"interleave:durations:{kind}"
