"""The two servers out of wheels, started as the launcher starts them."""

from __future__ import annotations

import io
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from minio import Minio
from minio.error import S3Error

from services.launcher import servers
from services.launcher.data_folder import DataFolder
from services.launcher.ports import HOST, remembered_ports
from services.launcher.stack import Stack, StackPlan

NAMES = ("valkey", *servers.SEAWEED_PORTS)


@contextmanager
def running(folder: DataFolder) -> Generator[dict[str, int]]:
    folder.create()
    ports = remembered_ports(folder.ports, NAMES)
    secrets = folder.credentials()
    specs = (servers.valkey(folder, ports, secrets), servers.seaweedfs(folder, ports, secrets))
    stack = Stack(folder, StackPlan(specs, url="", redis_url=""), tell=lambda _: None)
    try:
        stack.wait_until_ready(60, stopping=lambda: False)
        yield ports
    finally:
        stack.stop()


def s3(folder: DataFolder, ports: dict[str, int], *, secret: str | None = None) -> Minio:
    credentials = folder.credentials()
    return Minio(
        f"{HOST}:{ports['s3']}",
        access_key=credentials.s3_access_key,
        secret_key=secret or credentials.s3_secret_key,
        secure=False,
        region=servers.REGION,
    )


def test_both_keep_their_data_and_ask_for_their_passwords(tmp_path: Path) -> None:
    deeper_than_a_socket_may_lie = tmp_path / ("data" * 30)
    folder = DataFolder(deeper_than_a_socket_may_lie)
    with running(folder) as ports:
        client = redis.Redis.from_url(servers.redis_url(ports, folder.credentials()))
        client.set("kept", "yes")
        assert client.config_get("appendfsync")["appendfsync"] == "always"
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        s3(folder, ports).put_object(servers.BUCKET, "kept", io.BytesIO(b"yes"), 3)
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(host=HOST, port=ports["valkey"]).ping()
        with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
            s3(folder, ports, secret="wrong").list_buckets()
        client.close()
    with running(folder) as ports:
        client = redis.Redis.from_url(servers.redis_url(ports, folder.credentials()))
        assert client.get("kept") == b"yes"
        client.close()
        answer = s3(folder, ports).get_object(servers.BUCKET, "kept")
        assert answer.read() == b"yes"
        answer.close()
        answer.release_conn()
