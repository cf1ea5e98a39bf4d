"""The generator's routes through ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
from starlette.types import Message

from services.generator.app import build_app
from services.generator.batcher import BatchLimits
from services.generator.ports import GeneratorBackend
from services.generator.service import GeneratorService
from tests.fakes.generator_backends import DiesInSetup, NeverFinishes, PaintsFlat
from tests.fakes.image_store import MemoryImageStore
from tests.unit.services.generator.test_service import task


@asynccontextmanager
async def client_of(backend: GeneratorBackend) -> AsyncGenerator[httpx.AsyncClient]:
    service = GeneratorService(backend, MemoryImageStore(), limits=BatchLimits(max_wait_s=0))
    app = build_app(service)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport,
            base_url="http://test",
            headers={"content-type": "application/json"},
        ) as client,
    ):
        await asyncio.sleep(0.01)
        yield client


async def test_a_task_becomes_a_picture() -> None:
    async with client_of(PaintsFlat()) as client:
        answer = await client.post("/v1/images", content=task().model_dump_json())
        assert answer.status_code == 200
        assert answer.json()["type"] == "picture"
        assert (await client.get("/v1/info")).json()["name"] == "fake"
        assert (await client.get("/readyz")).status_code == 200


async def test_a_bad_task_is_a_problem() -> None:
    async with client_of(PaintsFlat()) as client:
        answer = await client.post("/v1/images", json={"prompt": "x"})
        assert answer.status_code == 422
        wide = task(width_px=1024).model_dump_json()
        answer = await client.post("/v1/images", content=wide)
        assert (answer.status_code, answer.json()["detail"]) == (422, "too wide")


async def test_a_model_that_did_not_load_makes_the_process_unhealthy() -> None:
    async with client_of(DiesInSetup()) as client:
        assert (await client.get("/healthz")).status_code == 503
        assert (await client.get("/readyz")).json()["checks"]["model"] is False


async def test_hanging_up_stops_the_model() -> None:
    backend = NeverFinishes()
    service = GeneratorService(backend, MemoryImageStore(), limits=BatchLimits(max_wait_s=0))
    app = build_app(service)
    body = task().model_dump_json().encode()
    arriving: asyncio.Queue[Message] = asyncio.Queue()
    arriving.put_nowait({"type": "http.request", "body": body, "more_body": False})

    async def send(_message: Message) -> None:
        return

    scope = {
        "type": "http", "method": "POST", "path": "/v1/images", "raw_path": b"/v1/images",
        "query_string": b"", "headers": [(b"content-type", b"application/json")],
        "http_version": "1.1", "scheme": "http", "server": ("test", 80), "client": ("test", 1),
    }  # fmt: skip
    async with app.router.lifespan_context(app), asyncio.timeout(2):
        await asyncio.sleep(0.01)
        call = asyncio.create_task(app(scope, arriving.get, send))
        await backend.started.wait()
        arriving.put_nowait({"type": "http.disconnect"})
        await backend.stopped.wait()
        await call
