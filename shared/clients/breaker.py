"""A circuit breaker: a service that fails again and again is left in peace for a while.

Callers are refused at once instead of each finding out for themselves; then one call goes ahead
and tells whether the service is back. Pauses are drawn at random (full jitter), so that many
processes do not return to it at the same moment.

Source: M. Nygard, Release It! (circuit breaker); M. Brooker, Exponential Backoff And Jitter.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Final

from shared.errors import ServiceUnavailableError

FAILURES: Final = 5
"""One after the other, over all callers of this process, before the circuit opens."""
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 4.0
PROBE_S: Final = 2.0
"""A probe without an answer so far keeps the others waiting no longer than this."""


class Breaker:
    """Of one address; thread safe."""

    def __init__(
        self,
        service: str,
        *,
        clock_s: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._service = service
        self._clock_s = clock_s
        self._jitter = jitter
        self._lock = threading.Lock()
        self._failures = 0
        self._not_before_s: float | None = None
        """When the next probe may go; None: the circuit is closed and everybody may."""

    def check(self) -> None:
        """Let a call go ahead.

        Raises:
            ServiceUnavailableError: the circuit is open.
        """
        with self._lock:
            if self._not_before_s is None:
                return
            now_s = self._clock_s()
            if now_s < self._not_before_s:
                message = f"The {self._service} failed {self._failures} times; it is left in peace."
                raise ServiceUnavailableError(message)
            self._not_before_s = now_s + PROBE_S

    def succeeded(self) -> None:
        """It is there, even if this one call went wrong: everybody may call."""
        with self._lock:
            self._failures = 0
            self._not_before_s = None

    def failed(self) -> None:
        """It cannot be reached, stays silent, or says that it cannot work now."""
        with self._lock:
            self._failures += 1
            over = self._failures - FAILURES
            if over >= 0:
                longest_s = min(FIRST_PAUSE_S * 2.0 ** min(over, 20), LONGEST_PAUSE_S)
                self._not_before_s = self._clock_s() + longest_s * self._jitter()
