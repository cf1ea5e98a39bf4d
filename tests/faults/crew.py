"""The stack's processes under attack: killed, stopped, held down, and started again.

Unlike the launcher this restarts at once and never gives up: dying is what happens here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from services.launcher.processes import ChildSpec
from shared.tether import tether

_END_S = 10.0
_PAUSE_S = 0.05
_READINGS = 5
_ORCHESTRATOR = "services.orchestrator"


class Member:
    """One process, and what is being done to it."""

    def __init__(self, spec: ChildSpec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.held_until_s = 0.0
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self.process.pid if self.process else None

    def start(self) -> None:
        """Start it; only from the main thread."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.spec.command,
                env=dict(self.spec.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=tether(nice=0, when_parent_dies=signal.SIGKILL),  # noqa: PLW1509 - forked from the main thread only
            )
        self.starts += 1

    def tend(self) -> None:
        """Start it (again) if it is dead and nobody holds it down; only from the main thread."""
        if self.process is not None and self.process.poll() is not None:
            self.process = None
        if self.process is None and time.monotonic() >= self.held_until_s:
            self.start()

    def kill(self, *, down_s: float = 0.0) -> None:
        """SIGKILL it; it is not started again before ``down_s`` have passed."""
        self.held_until_s = time.monotonic() + down_s
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """SIGSTOP: it stays, silent, with every connection open."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        """Kill it for good."""
        self.kill(down_s=1e9)
        if self.process is not None:
            self.process.wait(_END_S)
            self.process = None

    def _signal(self, number: signal.Signals) -> None:
        process = self.process
        if process is not None:
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)


class Crew:
    """All processes by name."""

    def __init__(self, specs: Sequence[ChildSpec], logs: Path) -> None:
        self.members = {spec.name: Member(spec, logs / f"{spec.name}.log") for spec in specs}

    def __getitem__(self, name: str) -> Member:
        return self.members[name]

    def tend(self) -> None:
        """Start what is dead."""
        for member in self.members.values():
            member.tend()

    def wait_until_ready(self, names: Sequence[str], *, timeout_s: float) -> None:
        """Tend until these answer.

        Raises:
            TimeoutError: the message names who does not.
        """
        give_up_at = time.monotonic() + timeout_s
        waiting = list(names)
        while waiting and time.monotonic() < give_up_at:
            for name in waiting:
                self.members[name].tend()
            waiting = [name for name in waiting if not self.members[name].spec.ready()]
            time.sleep(_PAUSE_S)
        if waiting:
            message = f"not ready: {', '.join(waiting)}"
            raise TimeoutError(message)

    def kill_owner_of(self, port: int) -> None:
        """Kill the process of the orchestrator that a connection comes from, whoever started it."""
        # The kernel's table is read in pieces: what moves meanwhile may be missing in one reading.
        for _ in range(_READINGS):
            killed = [_killed(each) for each in _owners_of(port)]
            if any(killed):
                return

    def end(self) -> None:
        """Kill everything for good."""
        for member in reversed(self.members.values()):
            member.end()


def _owners_of(port: int) -> list[psutil.Process]:
    """The processes that have a connection from this local port."""
    found: list[psutil.Process] = []
    for connection in psutil.net_connections("tcp"):
        if connection.laddr and connection.laddr[1] == port and connection.pid:
            with suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(connection.pid))
    return found


def _killed(process: psutil.Process) -> bool:
    """Whether it was one of the orchestrator's, and is dead."""
    with suppress(psutil.NoSuchProcess):
        if _ORCHESTRATOR not in process.cmdline():
            return False
        process.kill()
    return True
