"""The set-up that all services share, driven through ASGI without sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import BaseModel

from shared.errors import ServiceUnavailableError
from shared.http.app import make_app


class Order(BaseModel):
    count: int


def _app(*, ready: bool = True, alive: bool = True) -> FastAPI:
    async def readiness() -> Mapping[str, bool]:
        return {"model": ready}

    app = make_app("test", readiness=readiness, alive=lambda: alive, max_body_bytes=100)

    @app.post("/orders")
    async def order(order: Order) -> int:
        return order.count

    @app.post("/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    @app.get("/down")
    async def down() -> None:
        raise ServiceUnavailableError("The generator is away.")

    @app.get("/crash")
    async def crash() -> None:
        raise ZeroDivisionError

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(_app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def _get(app: FastAPI, path: str) -> httpx.Response:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test"
    ) as client:
        return await client.get(path)


async def test_health_and_readiness_say_what_is_missing() -> None:
    good, bad = _app(), _app(ready=False, alive=False)
    assert (await _get(good, "/healthz")).status_code == 200
    assert (await _get(good, "/readyz")).json()["checks"] == {"model": True}
    assert (await _get(bad, "/healthz")).status_code == 503
    answer = await _get(bad, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"model": False}


async def test_an_error_leaves_as_problem_details(client: httpx.AsyncClient) -> None:
    answer = await client.get("/down")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "service_unavailable"
    assert answer.json()["detail"] == "The generator is away."
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_crash_says_nothing_about_our_insides(client: httpx.AsyncClient) -> None:
    answer = await client.get("/crash")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "ZeroDivision" not in answer.text


async def test_an_invalid_field_is_pointed_at(client: httpx.AsyncClient) -> None:
    answer = await client.post("/orders", json={"count": "many"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/count"


async def test_a_declared_large_body_is_refused_before_it_is_read(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/raw", content=b"x" * 101)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
    assert (await client.post("/raw", content=b"x" * 100)).json() == 100


async def test_a_chunked_body_is_cut_when_it_grows_too_large(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 30

    answer = await client.post("/raw", content=chunks())
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
    answer = await client.post("/orders", content=chunks())
    assert answer.status_code == 413


async def test_a_harmless_request_id_is_kept_and_others_are_replaced(
    client: httpx.AsyncClient,
) -> None:
    kept = await client.get("/healthz", headers={"x-request-id": "abc-1"})
    assert kept.headers["x-request-id"] == "abc-1"
    replaced = await client.get("/healthz", headers={"x-request-id": "a b\tc"})
    assert replaced.headers["x-request-id"] != "a b\tc"


async def test_metrics_count_requests_by_route(client: httpx.AsyncClient) -> None:
    await client.post("/orders", json={"count": 1})
    text = (await client.get("/metrics")).text
    assert 'interleave_http_requests_total{method="POST",route="/orders",status="200"}' in text
