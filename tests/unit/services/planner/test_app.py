"""The planner's routes through ASGI."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
from starlette.types import Message

from services.planner.routes import planner_router
from services.planner.service import PlannerService
from shared.http.agent_app import make_agent_app
from shared.llm.engine import ChatEngine
from shared.llm.late import LateEngine
from shared.prompts.pack import load_pack
from tests.fakes.chat_engines import NeverAnswers, RefusesEverything, Says, dies_in_setup
from tests.fakes.image_store import MemoryImageStore
from tests.unit.services.planner.test_service import reply, task

PACK = load_pack("interleave")


def _late(engine: ChatEngine) -> LateEngine:
    return LateEngine(lambda: engine, name="fake")


@asynccontextmanager
async def client_of(engine: LateEngine) -> AsyncGenerator[httpx.AsyncClient]:
    store = MemoryImageStore()
    router = planner_router(PlannerService(engine, PACK, store=store))
    app = make_agent_app("planner", router, engine=engine, store=store)
    transport = httpx.ASGITransport(app)
    json_type = {"content-type": "application/json"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://t", headers=json_type) as client,
    ):
        await asyncio.sleep(0.05)
        yield client


async def test_a_plan_is_lines_of_json_with_one_end() -> None:
    async with client_of(_late(Says((reply("a", "b"),)))) as client:
        answer = await client.post("/v1/plans", content=task().model_dump_json())
        ready = await client.get("/readyz")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    kinds = [json.loads(line)["type"] for line in answer.text.splitlines()]
    assert kinds == ["step", "step", "plan"]
    assert ready.status_code == 200


async def test_what_fails_before_the_first_line_has_a_status() -> None:
    async with client_of(_late(RefusesEverything(("",)))) as client:
        answer = await client.post("/v1/plans", content=task().model_dump_json())
        assert (answer.status_code, answer.json()["code"]) == (502, "service_rejected")
        marks = task(prompt="See <image>.").model_dump_json()
        answer = await client.post("/v1/plans", content=marks)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_a_check_answers_without_a_model() -> None:
    async with client_of(LateEngine(dies_in_setup, name="gone")) as client:
        answer = await client.post("/v1/plans:check", json={"prompt": "A boat."})
        assert answer.json()["ok"] is True


async def test_a_model_that_cannot_be_loaded_makes_the_process_unhealthy() -> None:
    async with client_of(LateEngine(dies_in_setup, name="gone")) as client:
        assert (await client.get("/healthz")).status_code == 503
        assert (await client.get("/readyz")).json()["checks"]["model"] is False
        answer = await client.post("/v1/plans", content=task().model_dump_json())
        assert answer.status_code == 503


async def test_hanging_up_stops_the_engine() -> None:
    engine = NeverAnswers()
    store = MemoryImageStore()
    late = _late(engine)
    router = planner_router(PlannerService(late, PACK, store=store))
    app = make_agent_app("planner", router, engine=late, store=store)
    arriving: asyncio.Queue[Message] = asyncio.Queue()
    body = task().model_dump_json().encode()
    arriving.put_nowait({"type": "http.request", "body": body, "more_body": False})

    async def send(_message: Message) -> None:
        return

    scope = {
        "type": "http", "method": "POST", "path": "/v1/plans", "raw_path": b"/v1/plans",
        "query_string": b"", "headers": [(b"content-type", b"application/json")],
        "http_version": "1.1", "scheme": "http", "server": ("t", 80), "client": ("t", 1),
    }  # fmt: skip
    async with app.router.lifespan_context(app), asyncio.timeout(2):
        await asyncio.sleep(0.05)
        call = asyncio.create_task(app(scope, arriving.get, send))
        await engine.started.wait()
        arriving.put_nowait({"type": "http.disconnect"})
        await engine.stopped.wait()
        await call
