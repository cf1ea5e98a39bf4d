"""A real stack for end-to-end tests: the ``interleave`` command as a process, nothing faked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.launcher.api import ApiClient
from services.launcher.connection import Connection, connection_to
from services.launcher.data_folder import DataFolder
from services.launcher.errors import NotRunningError
from services.launcher.state_file import ProcessState, StackState, running_stack

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models" / "sketchbook"
READY_TIMEOUT_S = 180.0


def interleave(*arguments: str, timeout_s: float = 200.0) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = (sys.executable, "-m", "services.launcher", *arguments)
    environment = os.environ | {"COLUMNS": "200"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout_s, env=environment, check=False
    )


@dataclass(slots=True)
class LocalStack:
    """``interleave up`` on a data folder."""

    folder: DataFolder
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def output(self) -> str:
        """What the command has printed so far, over all starts."""
        return self._log.read_text(errors="replace")

    @property
    def _log(self) -> Path:
        return self.folder.path.with_suffix(".log")

    def start(self) -> None:
        """Start it and wait until it is ready."""
        data = str(self.folder.path)
        command = (sys.executable, "-m", "services.launcher", "up", "--port", "0", "--data", data)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=os.environ | dict(self.environment)
            )
        self.wait_until(lambda state: state.ready, timeout_s=READY_TIMEOUT_S)

    def stop(self) -> int:
        """Stop it as Ctrl-C does; gives the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def kill(self) -> None:
        """Kill the launcher; everything it started must die with it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def state(self) -> StackState | None:
        """The stack as ``stack.json`` tells it."""
        try:
            return running_stack(self.folder)
        except NotRunningError:
            return None

    def child(self, name: str) -> ProcessState:
        """One process of the stack."""
        state = self.state()
        assert state is not None
        return next(each for each in state.processes if each.name == name)

    def kill_child(self, name: str) -> int:
        """Kill one process; gives its id."""
        pid = self.child(name).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_until(self, good: Callable[[StackState], bool], *, timeout_s: float) -> None:
        """Wait for the stack to be as wanted."""
        give_up_at = time.monotonic() + timeout_s
        while time.monotonic() < give_up_at:
            assert self.process is not None
            assert self.process.poll() is None, self.output
            state = self.state()
            if state is not None and good(state):
                return
            time.sleep(0.1)
        raise AssertionError(self.output)

    def connection(self) -> Connection:
        """Address and key."""
        return connection_to(self.folder)

    def api(self) -> ApiClient:
        """A client of the public API."""
        connection = self.connection()
        return ApiClient(connection.url, connection.key)
