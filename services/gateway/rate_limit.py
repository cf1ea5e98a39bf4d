"""How many calls an API key may make, and the headers that say so.

Headers follow the IETF draft "RateLimit header fields for HTTP" (``RateLimit`` and
``RateLimit-Policy``). Counting lives in ``backends.redis_limits``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shared.errors import RateLimitedError

_LINE_RETRY_S = 30


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


async def check_quota(counter: CallCounter, key_id: str, quota: Quota) -> Standing:
    """Count one call; TooManyRequestsError if it is one too many."""
    standing = await counter.count(key_id, quota)
    if standing.exceeded:
        raise TooManyRequestsError(standing)
    return standing
