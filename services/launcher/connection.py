"""Which service a command talks to: one given by URL, a running stack, or a temporary one."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from services.launcher.data_folder import DataFolder
from services.launcher.errors import LauncherError, NotRunningError, StackFailedError
from services.launcher.settings import LauncherSettings
from services.launcher.state_file import StackState, running_stack
from shared.tether import tether

STOP_TIMEOUT_S = 30.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Connection:
    """Address and key of a service."""

    url: str
    key: SecretStr


def connection_to(folder: DataFolder) -> Connection:
    """The stack that runs on the folder.

    Raises:
        NotRunningError: None runs, or it is not ready yet.
    """
    state = running_stack(folder)
    key = folder.api_key()
    if key is None or not state.ready:
        raise NotRunningError(f"The stack on {folder.path} is not ready yet; try again soon.")
    return Connection(state.url, key)


@contextmanager
def connected(
    folder: DataFolder, settings: LauncherSettings, *, console: Console
) -> Generator[Connection]:
    """The stack on the folder, or a temporary one for the length of the block."""
    if folder.is_owned():
        yield connection_to(folder)
        return
    with temporary_stack(settings, console=console) as connection:
        yield connection


@contextmanager
def temporary_stack(settings: LauncherSettings, *, console: Console) -> Generator[Connection]:
    """A stack of its own on free ports, gone with its data afterwards.

    Raises:
        StackFailedError: It did not become ready; its output is in the message.
    """
    path = Path(tempfile.mkdtemp(prefix="interleave-"))
    folder = DataFolder(path / "data")
    output = path / "up.log"
    process = _start_up(folder, output)
    try:
        with console.status("Starting a temporary stack ..."):
            _wait(process, folder, output, timeout_s=settings.ready_timeout_s)
        yield connection_to(folder)
    finally:
        with console.status("Stopping the temporary stack ..."):
            _stop(process)
        shutil.rmtree(path, ignore_errors=True)


def _start_up(folder: DataFolder, output: Path) -> subprocess.Popen[bytes]:
    command = (sys.executable, "-m", "services.launcher", "up", "--port", "0")
    with output.open("wb") as log:
        return subprocess.Popen(
            (*command, "--data", str(folder.path)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=tether(nice=0, when_parent_dies=signal.SIGTERM),  # noqa: PLW1509 - forked from the main thread only
        )


def _wait(
    process: subprocess.Popen[bytes], folder: DataFolder, output: Path, *, timeout_s: float
) -> StackState:
    give_up_at = time.monotonic() + timeout_s
    while process.poll() is None and time.monotonic() < give_up_at:
        try:
            state = running_stack(folder)
        except NotRunningError:
            state = None
        if state is not None and state.ready:
            return state
        time.sleep(_POLL_S)
    raise StackFailedError(f"The temporary stack did not start.\n{output.read_text()[-4000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_TIMEOUT_S)


def given_connection(url: str | None, key: str | None) -> Connection | None:
    """The service named on the command line, if one was.

    Raises:
        LauncherError: Only one of address and key was given.
    """
    if url is None and key is None:
        return None
    if url is None or key is None:
        raise LauncherError("Give --url and --key together.")
    return Connection(url.rstrip("/"), SecretStr(key))
