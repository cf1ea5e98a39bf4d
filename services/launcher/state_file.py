"""``stack.json``: what other commands need to know about a running stack."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from services.launcher.data_folder import DataFolder, write_private
from services.launcher.errors import NotRunningError
from shared.contracts.wire import Wire


class ProcessState(Wire):
    """One child as last seen by the launcher."""

    name: str
    pid: int | None
    address: str
    ready: bool
    restarts: int


class StackState(Wire):
    """The stack as last seen by the launcher."""

    pid: int
    url: str
    redis_url: str
    ready: bool
    processes: tuple[ProcessState, ...] = ()

    def save(self, file: Path) -> None:
        """Replace the file; it holds the Redis password, so it is private."""
        write_private(file, self.model_dump_json(indent=1))


def running_stack(folder: DataFolder) -> StackState:
    """The stack that runs on the folder.

    Raises:
        NotRunningError: None does.
    """
    message = f"No stack is running on {folder.path}. Start one with `interleave up`."
    if not folder.is_owned() or not folder.stack.exists():
        raise NotRunningError(message)
    try:
        return StackState.model_validate_json(folder.stack.read_text())
    except ValidationError:
        raise NotRunningError(message) from None


def port_of(stack: StackState, name: str) -> int:
    """The port of one of its processes.

    Raises:
        NotRunningError: There is no such process.
    """
    for process in stack.processes:
        if process.name == name:
            return int(process.address.rpartition(":")[2])
    raise NotRunningError(f"The stack has no {name}.")
