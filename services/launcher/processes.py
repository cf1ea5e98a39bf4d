"""One supervised child process: start, readiness, death, restart with back-off, stop.

What is started, and in which order, is in ``stack``.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.launcher.errors import StackFailedError
from shared.tether import tether

DEATHS_ALLOWED = 5
DEATH_WINDOW_S = 60.0
FIRST_DELAY_S = 0.25
HEALTH_PAUSE_S = 2.0
LOG_TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to start and how to tell that it works."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ready: Callable[[], bool]
    broken: Callable[[], bool] = lambda: False
    """Whether it runs but says itself that only a new start can help."""
    address: str = ""
    after: tuple[str, ...] = ()
    """Names of the children that must be ready before this one is started."""
    nice: int = 0
    stop_timeout_s: float = 10.0
    folder: Path | None = None
    """Where it runs; None: where the launcher does."""


@dataclass(slots=True)
class Child:
    """A running (or dead, or waiting to be restarted) process made from a ``ChildSpec``."""

    spec: ChildSpec
    log: Path
    now: Callable[[], float] = time.monotonic
    process: subprocess.Popen[bytes] | None = None
    ready: bool = False
    restarts: int = 0
    _start_at: float | None = None
    _look_at: float = 0.0
    _deaths: deque[float] = field(default_factory=deque[float])

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self.process.pid if self.process else None

    @property
    def started(self) -> bool:
        """Whether it runs or is about to be restarted."""
        return self.process is not None or self._start_at is not None

    def start(self) -> None:
        """Start the process; its output is appended to the log file."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.spec.command,
                env=dict(self.spec.environment),
                cwd=self.spec.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=tether(nice=self.spec.nice, when_parent_dies=signal.SIGKILL),  # noqa: PLW1509 - the launcher forks from its main thread only
            )
        self.ready = False
        self._start_at = None

    def tend(self) -> str | None:
        """Notice death and readiness, restart when due; gives a line worth telling, if any.

        Raises:
            StackFailedError: It died more than five times within a minute.
        """
        if self.process is None:
            return self._restart_if_due()
        if (code := self.process.poll()) is not None:
            return self._died(code)
        if not self.ready and self.spec.ready():
            self.ready = True
            return f"{self.spec.name} is ready"
        if self.now() >= self._look_at:
            self._look_at = self.now() + HEALTH_PAUSE_S
            self._end_if_broken(self.process)
        return None

    def _end_if_broken(self, process: subprocess.Popen[bytes]) -> None:
        """Kill it when it says so; its death is noticed at the next look."""
        if self.spec.broken():
            process.kill()
            process.wait(self.spec.stop_timeout_s)

    def _died(self, code: int) -> str:
        now = self.now()
        self.process = None
        self.ready = False
        self._deaths.append(now)
        while self._deaths and self._deaths[0] < now - DEATH_WINDOW_S:
            self._deaths.popleft()
        if len(self._deaths) > DEATHS_ALLOWED:
            raise StackFailedError(self._hopeless(code))
        delay_s = FIRST_DELAY_S * 2 ** (len(self._deaths) - 1)
        self._start_at = now + delay_s
        return f"{self.spec.name} ended with {describe_exit(code)}; starting again in {delay_s:g} s"

    def _hopeless(self, code: int) -> str:
        return (
            f"{self.spec.name} ended {len(self._deaths)} times within a minute, last with "
            f"{describe_exit(code)}. The end of {self.log}:\n{self.log_tail()}"
        )

    def _restart_if_due(self) -> str | None:
        if self._start_at is None or self.now() < self._start_at:
            return None
        self.restarts += 1
        self.start()
        return f"{self.spec.name} started again"

    def log_tail(self) -> str:
        """The last lines of the log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 8192))
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def stop(self) -> None:
        """Ask it to end, and end it by force when it does not in time."""
        self._start_at = None
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(self.spec.stop_timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(self.spec.stop_timeout_s)
        self.ready = False


def describe_exit(code: int) -> str:
    """An exit status in words: negative numbers are signals."""
    if code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"
