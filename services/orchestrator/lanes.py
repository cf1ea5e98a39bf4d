"""Shares a worker's threads out between kinds of work, so that none can hold them all.

While a model service is away, every command that needs it waits in a thread. Each kind of work
may therefore use only so many; what comes beyond that is parked here, in this process, and taken
up by the next thread of its kind that is done. Parked work is only a hint: whoever waits too long
is sent again by the reaper, and another worker may take it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import structlog

from services.orchestrator.measures import PARKED

_log = structlog.get_logger(__name__)
Job = Callable[[], None]


class Lanes:
    """At most ``size`` jobs of one lane at a time, unless ``sizes`` says otherwise."""

    def __init__(self, size: int, **sizes: int) -> None:
        self._size = size
        self._sizes = sizes
        self._busy: Counter[str] = Counter()
        self._parked: dict[str, dict[str, Job]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def run(self, lane: str, name: str, *, job: Job) -> None:
        """Do the job in this thread, or park it under its name; then do what is parked."""
        with self._lock:
            if self._busy[lane] >= self._sizes.get(lane, self._size):
                self._parked.setdefault(lane, {})[name] = job
                self._tell(lane)
                return
            self._busy[lane] += 1
        todo: Job | None = job
        while todo is not None:
            try:
                todo()
            except Exception:  # noqa: BLE001 - the lane must go on, the reaper sends it again
                _log.exception("job_failed", lane=lane)
            todo = self._next(lane)

    def close(self) -> None:
        """Forget what is parked: the process ends."""
        with self._lock:
            self._closed = True
            self._parked.clear()

    def _next(self, lane: str) -> Job | None:
        """A parked job, the oldest first; without one this thread leaves the lane."""
        with self._lock:
            parked = self._parked.get(lane)
            if not parked or self._closed:
                self._busy[lane] -= 1
                return None
            job = parked.pop(next(iter(parked)))
            self._tell(lane)
            return job

    def _tell(self, lane: str) -> None:
        PARKED.labels(lane).set(len(self._parked.get(lane, ())))
