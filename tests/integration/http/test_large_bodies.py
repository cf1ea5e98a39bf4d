"""Bodies that are far too large, sent to a real server over a socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from fastapi import Request

from shared.http.app import make_app
from tests.servers import HOST, free_ports

LIMIT_BYTES = 100_000
HUNDRED_MB = 100 * 1024 * 1024


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    app = make_app("test", max_body_bytes=LIMIT_BYTES)

    @app.post("/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    port = free_ports(1)[0]
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up_at = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < give_up_at
        time.sleep(0.02)
    yield f"http://{HOST}:{port}"
    server.should_exit = True
    thread.join(10)


def test_a_hundred_megabytes_are_refused_at_once(url: str) -> None:
    started = time.monotonic()
    answer = httpx.post(f"{url}/raw", content=b"x" * HUNDRED_MB, timeout=30)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
    assert time.monotonic() - started < 10
    assert httpx.post(f"{url}/raw", content=b"x" * 100).json() == 100


def test_an_endless_chunked_body_is_cut(url: str) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(HUNDRED_MB // 65536):
            sent += 65536
            yield b"x" * 65536

    answer = httpx.post(f"{url}/raw", content=chunks(), timeout=30)
    assert answer.status_code == 413
    assert sent < HUNDRED_MB
    assert httpx.get(f"{url}/healthz").status_code == 200
