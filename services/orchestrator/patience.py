"""Bounded retries: what is tried again, how long, and the pauses in between."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.errors import InterleaveError, ServiceUnavailableError, StoreUnavailableError


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits of retrying within one execution of a command.

    Something that is away may come back, so it is awaited for ``window_s``; something that
    answers wrongly or too late is only asked ``max_tries`` times.
    """

    window_s: float = 120.0
    max_tries: int = 3
    first_pause_s: float = 0.25
    longest_pause_s: float = 8.0


@dataclass(slots=True)
class Tries:
    """The tries of one execution so far."""

    patience: Patience
    clock_s: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    failures: int = 0
    answers: int = 0
    began_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the window."""
        self.began_s = self.clock_s()

    def pause_after(self, error: InterleaveError) -> float | None:
        """Seconds to wait before trying again, or None: give up."""
        self.failures += 1
        away = isinstance(error, ServiceUnavailableError | StoreUnavailableError)
        self.answers += not away
        if not error.retryable or self.answers >= self.patience.max_tries:
            return None
        longest = self.patience.first_pause_s * 2.0 ** min(self.failures - 1, 20)
        # Full jitter: whoever waits for the same service must not come back at the same time.
        pause = min(longest, self.patience.longest_pause_s) * self.jitter()
        left = self.began_s + self.patience.window_s - self.clock_s()
        return pause if pause < left else None
