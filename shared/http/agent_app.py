"""The FastAPI set-up that planner and critic share: an engine that loads in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from fastapi import APIRouter, FastAPI

from shared.errors import InterleaveError
from shared.http.app import make_app
from shared.llm.late import LateEngine
from shared.settings import ServiceSettings
from shared.stores.images import ImageStore


def make_agent_app(
    title: str,
    router: APIRouter,
    *,
    engine: LateEngine,
    store: ImageStore,
    settings: ServiceSettings | None = None,
) -> FastAPI:
    """An app that is alive at once and ready when engine and object store are."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        loading = asyncio.create_task(engine.load())
        try:
            yield
        finally:
            loading.cancel()
            with suppress(asyncio.CancelledError):
                await loading
            await engine.aclose()

    async def readiness() -> dict[str, bool]:
        stored = await asyncio.to_thread(store.healthy)
        return {"model": await _answers(engine), "store": stored}

    app = make_app(
        title,
        settings=settings,
        lifespan=lifespan,
        readiness=readiness,
        alive=lambda: engine.alive,
    )
    app.include_router(router)
    return app


async def _answers(engine: LateEngine) -> bool:
    try:
        await engine.health()
    except InterleaveError:
        return False
    return True
