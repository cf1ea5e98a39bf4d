"""``interleave up`` and ``interleave down``: one stack on one data folder, until told to stop."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from rich.console import Console
from rich.table import Table

from services.launcher.data_folder import DataFolder
from services.launcher.errors import StackFailedError
from services.launcher.settings import LauncherSettings
from services.launcher.stack import TICK_S, Stack, plan_stack
from services.launcher.state_file import StackState, running_stack

DOWN_TIMEOUT_S = 60.0


@dataclass(slots=True)
class StopSignal:
    """Becomes true at SIGINT or SIGTERM."""

    received: bool = field(default=False, init=False)

    def __call__(self) -> bool:
        """Whether somebody wants the stack to end."""
        return self.received

    @contextmanager
    def caught(self) -> Generator[None]:
        """Listen to the signals for the length of the block."""
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._note) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.received = True


def up(folder: DataFolder, settings: LauncherSettings, *, console: Console) -> None:
    """Start the stack and keep it running until SIGINT or SIGTERM.

    Raises:
        LauncherError: It cannot start, or one of its processes cannot be kept alive.
    """
    folder.create()
    stopping = StopSignal()
    with folder.owned(), stopping.caught():
        stack = Stack(folder, plan_stack(folder, settings), tell=Teller(console))
        try:
            _start(stack, settings, stopping=stopping, console=console)
            while not stopping():
                stack.tick()
                time.sleep(TICK_S)
        finally:
            console.print("Stopping ...")
            stack.stop()
            console.print("Stopped.")


@dataclass(frozen=True, slots=True)
class Teller:
    """Prints a line with the seconds since the start."""

    console: Console
    since: float = field(default_factory=time.monotonic)

    def __call__(self, line: str) -> None:
        """Print the line."""
        self.console.print(f"{time.monotonic() - self.since:6.1f} s  {line}", highlight=False)


def _start(
    stack: Stack, settings: LauncherSettings, *, stopping: StopSignal, console: Console
) -> None:
    first_start = not stack.folder.key.exists()
    began = time.monotonic()
    stack.save_state()
    stack.wait_until_ready(settings.ready_timeout_s, stopping=stopping)
    if stopping():
        return
    stack.save_state()
    console.print(_address_table(stack.state()))
    console.print(f"Ready after {time.monotonic() - began:.1f} s. Logs: {stack.folder.path}/logs")
    if first_start:
        _show_key(stack.folder, console)


def _address_table(state: StackState) -> Table:
    table = Table(title=f"Interleave: {state.url}/docs")
    for heading in ("process", "pid", "address"):
        table.add_column(heading)
    for process in state.processes:
        table.add_row(process.name, str(process.pid), process.address)
    return table


def _show_key(folder: DataFolder, console: Console) -> None:
    if (key := folder.api_key()) is None:
        raise StackFailedError(f"The gateway wrote no API key to {folder.key}.")
    console.print("Your API key, shown this once:", style="bold")
    console.print(key.get_secret_value(), highlight=False, soft_wrap=True)


def down(folder: DataFolder) -> int:
    """Stop the stack that runs on the folder; gives its process id.

    Raises:
        NotRunningError: None runs.
        StackFailedError: It does not stop.
    """
    pid = running_stack(folder).pid
    os.kill(pid, signal.SIGTERM)
    give_up_at = time.monotonic() + DOWN_TIMEOUT_S
    while folder.is_owned():
        if time.monotonic() > give_up_at:
            raise StackFailedError(f"Process {pid} did not stop within {DOWN_TIMEOUT_S:.0f} s.")
        time.sleep(TICK_S)
    return pid
