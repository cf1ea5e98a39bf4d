"""Builds the gateway's app; ``serving`` puts it on a port."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import cast

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.routing import APIRoute
from starlette.staticfiles import StaticFiles

from services.gateway.head_limit import HeadLimitMiddleware
from services.gateway.parts import Parts
from services.gateway.routes import (
    documents,
    events,
    files,
    generators,
    openai,
    plans,
    trajectories,
    uploads,
    webhook_endpoints,
    webhooks,
)
from services.gateway.routes.access import CallerMiddleware
from services.gateway.routes.methods import name_methods
from services.gateway.routes.problem_responses import describe_problems
from services.gateway.settings import GatewaySettings
from shared.http.app import make_app as make_service_app

OpenParts = Callable[[GatewaySettings], AbstractAsyncContextManager[Parts]]

_MODULES = (
    generators,
    trajectories,
    plans,
    events,
    documents,
    uploads,
    files,
    webhooks,
    webhook_endpoints,
    openai,
)
_STUDIO = Path(__file__).parent / "studio"
_STUDIO_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src 'self' blob: data:; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_DESCRIPTION = (
    "Text in, a sequence of text and pictures out: planned, drawn by any image generator, and"
    " judged picture by picture. Errors are problem documents (RFC 9457)."
)


def build_app(settings: GatewaySettings, open_parts: OpenParts) -> FastAPI:
    """The gateway on the parts that ``open_parts`` gives."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_parts(settings) as parts:
            app.state.parts = parts
            yield

    async def readiness() -> Mapping[str, bool]:
        return await cast("Parts", app.state.parts).readiness()

    app = make_service_app(
        "Interleave",
        settings=settings,
        lifespan=lifespan,
        readiness=readiness,
        max_body_bytes=settings.max_body_bytes,
        description=_DESCRIPTION,
    )
    app.add_middleware(CallerMiddleware)
    app.add_middleware(HeadLimitMiddleware, settings=settings)
    for module in _MODULES:
        app.include_router(
            module.router,
            generate_unique_id_function=lambda route: route.name,
        )
    routes = [route for module in _MODULES for route in module.router.routes]
    name_methods(app, [route for route in routes if isinstance(route, APIRoute)])
    describe_problems(app)
    _add_studio(app)
    return app


def _add_studio(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def studio() -> FileResponse:
        return FileResponse(_STUDIO / "index.html", headers=_STUDIO_HEADERS)

    app.mount("/studio", StaticFiles(directory=_STUDIO), name="studio")
