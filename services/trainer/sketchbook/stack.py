"""A running service to measure trajectories on, started by the ``interleave`` command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from services.trainer.sketchbook.trajectories import Service
from shared.tether import tether

_READY_TIMEOUT_S = 240.0
_STOP_TIMEOUT_S = 60.0
_POLL_S = 0.2
_NO_LIMITS = {
    "GATEWAY_REQUESTS_PER_MINUTE": "1000000",
    "GATEWAY_CREATIONS_PER_MINUTE": "1000000",
}


class StackStartError(Exception):
    """The service did not start; the message ends with its output."""


@contextmanager
def running_service(
    models: Path, environment: Mapping[str, str] | None = None
) -> Generator[Service]:
    """A service of its own with these models on free ports, gone with its data afterwards.

    ``environment`` holds settings of single services that differ from the usual.
    """
    with running_stack(models, environment) as (service, _):
        yield service


@contextmanager
def running_stack(
    models: Path, environment: Mapping[str, str] | None = None
) -> Generator[tuple[Service, Path]]:
    """Like ``running_service``, together with the stack's data folder."""
    with tempfile.TemporaryDirectory(prefix="interleave-evaluate-") as name:
        folder = Path(name)
        command = (sys.executable, "-m", "services.launcher", "up", "--port", "0")
        log = folder / "up.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own command
                (*command, "--data", str(folder / "data")),
                env={
                    **os.environ,
                    "LAUNCHER_MODELS": str(models),
                    **_NO_LIMITS,
                    **(environment or {}),
                },
                stdout=output,
                stderr=output,
                preexec_fn=tether(nice=0, when_parent_dies=signal.SIGTERM),  # noqa: PLW1509 - forked from the main thread only
            )
        try:
            yield _ready_service(process, folder / "data", log), folder / "data"
        finally:
            process.terminate()
            process.wait(_STOP_TIMEOUT_S)


def _ready_service(process: subprocess.Popen[bytes], data: Path, log: Path) -> Service:
    give_up_at = time.monotonic() + _READY_TIMEOUT_S
    state = data / "stack.json"
    while process.poll() is None and time.monotonic() < give_up_at:
        if state.exists():
            seen = json.loads(state.read_text())
            if seen["ready"]:
                return Service(seen["url"], (data / "api_key").read_text().strip())
        time.sleep(_POLL_S)
    raise StackStartError(log.read_text()[-4000:])
