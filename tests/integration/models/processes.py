"""Model services as real processes, the way they run in production."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from shared.settings import StorageSettings
from tests.servers import HOST, ServerProcess, free_ports


@contextmanager
def running_service(
    name: str, folder: Path, environment: Mapping[str, str], *, storage: StorageSettings
) -> Generator[str]:
    """The base URL of ``services.<name>`` once it is ready, for the length of the block."""
    url, server = service_process(name, folder, environment, storage=storage)
    server.start()
    try:
        yield url
    finally:
        server.stop()


def service_process(
    name: str, folder: Path, environment: Mapping[str, str], *, storage: StorageSettings
) -> tuple[str, ServerProcess]:
    """The same as a process to be started, killed and started again."""
    port = free_ports(1)[0]
    url = f"http://{HOST}:{port}"
    server = ServerProcess(
        command=[
            "env",
            *_assignments(name.upper(), environment, storage),
            sys.executable, "-m", "uvicorn", "--factory", f"services.{name}.app:make_app",
            "--host", HOST, "--port", str(port), "--no-access-log",
        ],
        folder=folder,
        ready=lambda: _ready(url),
        timeout_s=90.0,
    )  # fmt: skip
    return url, server


def _assignments(
    prefix: str, environment: Mapping[str, str], storage: StorageSettings
) -> list[str]:
    root = str(Path(__file__).parents[3])
    values = {
        "PYTHONPATH": root,
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        f"{prefix}_STORAGE__ENDPOINT": storage.endpoint,
        f"{prefix}_STORAGE__ACCESS_KEY": storage.access_key,
        f"{prefix}_STORAGE__SECRET_KEY": storage.secret_key.get_secret_value(),
        f"{prefix}_STORAGE__BUCKET": storage.bucket,
        **{f"{prefix}_{key}": value for key, value in environment.items()},
    }
    return [f"{key}={value}" for key, value in values.items()]


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).is_success
    except httpx.HTTPError:
        return False
