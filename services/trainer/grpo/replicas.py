"""Where the generator services and their object store are: a stack of our own, or given ones.

Not here: drawing with them (``drawing``).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import socket
from urllib.parse import urlsplit

from pydantic import SecretStr

from services.trainer.sketchbook.stack import StackStartError, running_stack
from shared.settings import StorageSettings
from shared.tether import tether

_HOST = "127.0.0.1"
_READY_TIMEOUT_S = 240.0
_STOP_TIMEOUT_S = 20.0
_POLL_S = 0.3
_GOOD = 200


@dataclass(frozen=True, slots=True)
class Replicas:
    """Addresses of generator services, and the store they share."""

    urls: tuple[str, ...]
    storage: StorageSettings


def of_stack(data: Path) -> Replicas:
    """The generator of a stack that runs on a data folder.

    Raises:
        StackStartError: None does.
    """
    try:
        state = json.loads((data / "stack.json").read_text())
        secrets = json.loads((data / "credentials.json").read_text())
        ports = json.loads((data / "ports.json").read_text())
    except OSError as error:
        raise StackStartError(f"no stack runs on {data}: start one with `interleave up`") from error
    urls = tuple(p["address"] for p in state["processes"] if p["name"] == "generator")
    storage = StorageSettings(
        endpoint=f"{_HOST}:{ports['s3']}",
        access_key=secrets["s3_access_key"],
        secret_key=SecretStr(secrets["s3_secret_key"]),
    )
    return Replicas(urls, storage)


@contextmanager
def own_replicas(models: Path, generator: Path, count: int) -> Generator[Replicas]:
    """A stack of our own with so many generator services, gone afterwards.

    Raises:
        StackStartError: It did not start.
    """
    settings = {"GENERATOR_MODEL": str(generator.resolve())}
    with running_stack(models, settings) as (_, data), ExitStack() as stack:
        first = of_stack(data)
        more = [
            stack.enter_context(_generator(generator, first.storage, data / f"extra{n}.log"))
            for n in range(count - 1)
        ]
        for url in more:
            _wait(url)
        yield Replicas((*first.urls, *more), first.storage)


@contextmanager
def _generator(folder: Path, storage: StorageSettings, log: Path) -> Generator[str]:
    """One more generator service on a free port; its URL, before it is ready."""
    with socket() as free:
        free.bind((_HOST, 0))
        port = free.getsockname()[1]
    prefix = "GENERATOR_STORAGE__"
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "GENERATOR_MODEL": str(folder.resolve()),
        f"{prefix}ENDPOINT": storage.endpoint,
        f"{prefix}ACCESS_KEY": storage.access_key,
        f"{prefix}SECRET_KEY": storage.secret_key.get_secret_value(),
        f"{prefix}BUCKET": storage.bucket,
        f"{prefix}REGION": storage.region,
    }
    command = (
        sys.executable, "-m", "uvicorn", "--factory", "services.generator.app:make_app",
        "--host", _HOST, "--port", str(port), "--no-access-log",
    )  # fmt: skip
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603 - our own command
            command,
            env=environment,
            stdout=output,
            stderr=output,
            preexec_fn=tether(nice=0, when_parent_dies=signal.SIGTERM),  # noqa: PLW1509 - forked from the main thread only
        ) as process,
    ):
        try:
            yield f"http://{_HOST}:{port}"
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_TIMEOUT_S)
            process.kill()


def _wait(url: str) -> None:
    give_up_at = time.monotonic() + _READY_TIMEOUT_S
    while not _ready(url):
        if time.monotonic() > give_up_at:
            raise StackStartError(f"the generator at {url} is not ready")
        time.sleep(_POLL_S)


def _ready(url: str) -> bool:
    address = urlsplit(url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=2.0)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == _GOOD
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
