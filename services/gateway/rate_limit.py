"""How many calls an API key may make, and the headers that say so.

Headers follow the IETF draft "RateLimit header fields for HTTP" (``RateLimit`` and
``RateLimit-Policy``). Counting lives in ``backends.redis_limits``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shared.errors import RateLimitedError

_LINE_RETRY_S = 30
_OPEN_RETRY_S = 5


@dataclass(frozen=True, slots=True)
class Quota:
    """At most ``calls`` in each window of ``window_s`` seconds."""

    name: str
    calls: int
    window_s: int = 60


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands after this call."""

    quota: Quota
    used: int
    resets_in_s: int

    @property
    def exceeded(self) -> bool:
        """Whether this call was one too many."""
        return self.used > self.quota.calls

    def headers(self) -> dict[str, str]:
        """The draft's two header fields."""
        quota, left = self.quota, max(0, self.quota.calls - self.used)
        return {
            "RateLimit-Policy": f'"{quota.name}";q={quota.calls};w={quota.window_s}',
            "RateLimit": f'"{quota.name}";r={left};t={self.resets_in_s}',
        }


class CallCounter(Protocol):
    """Counts calls in windows."""

    async def count(self, key_id: str, quota: Quota) -> Standing:
        """Count one call of ``key_id``."""
        ...


class TooManyRequestsError(RateLimitedError):
    """Carries the headers that tell when to come back."""

    def __init__(self, standing: Standing) -> None:
        seconds = max(1, standing.resets_in_s)
        quota = standing.quota
        super().__init__(
            f"More than {quota.calls} {quota.name} in {quota.window_s} s; wait {seconds} s."
        )
        self.headers = {"Retry-After": str(seconds), **standing.headers()}


class TooManyWaitingError(RateLimitedError):
    """The key's own line is full."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"{most} trajectories of this API key wait for their turn; more are not taken."
        )
        self.headers = {"Retry-After": str(_LINE_RETRY_S)}


class TooManyOpenError(RateLimitedError):
    """The key has too many calls open at the same time."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"{most} calls of this API key are open at the same time; close some or wait."
        )
        self.headers = {"Retry-After": str(_OPEN_RETRY_S)}


class OpenCalls:
    """How many calls of each key this process has open: waits and event streams hold theirs."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {}

    def enter(self, key_id: str, *, most: int) -> None:
        """One more; TooManyOpenError if it is one too many."""
        now = self._open.get(key_id, 0)
        if now >= most:
            raise TooManyOpenError(most)
        self._open[key_id] = now + 1

    def leave(self, key_id: str) -> None:
        """One fewer."""
        left = self._open[key_id] - 1
        if left:
            self._open[key_id] = left
        else:
            del self._open[key_id]


async def check_quota(counter: CallCounter, key_id: str, quota: Quota) -> Standing:
    """Count one call; TooManyRequestsError if it is one too many."""
    standing = await counter.count(key_id, quota)
    if standing.exceeded:
        raise TooManyRequestsError(standing)
    return standing
