"""The test servers themselves work."""

from __future__ import annotations

import io

import redis

from tests.servers import S3Server, ValkeyServer


def test_valkey_keeps_what_is_written(valkey: ValkeyServer) -> None:
    client = redis.Redis.from_url(valkey.url)
    client.set("servers-test", "kept")
    assert client.get("servers-test") == b"kept"
    client.close()


def test_s3_keeps_what_is_put(s3: S3Server) -> None:
    client = s3.client()
    client.put_object(s3.storage.bucket, "servers-test", io.BytesIO(b"kept"), 4)
    answer = client.get_object(s3.storage.bucket, "servers-test")
    assert answer.read() == b"kept"
    answer.close()
