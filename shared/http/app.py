"""The FastAPI set-up that all services share; routes and use-cases are each service's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from shared.http.body_limit import BodyLimitMiddleware
from shared.http.health import Liveness, Readiness, health_router
from shared.http.middleware import RequestIdMiddleware
from shared.http.problems import add_problem_handlers
from shared.settings import ServiceSettings
from shared.telemetry.logging import configure_logging
from shared.telemetry.tracing import configure_tracing

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
ONE_MIB = 1024 * 1024


async def _always_ready() -> Mapping[str, bool]:
    return {}


@asynccontextmanager
async def _no_lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    yield


def make_app(
    title: str,
    *,
    settings: ServiceSettings | None = None,
    lifespan: Lifespan = _no_lifespan,
    readiness: Readiness = _always_ready,
    alive: Liveness = lambda: True,
    max_body_bytes: int = ONE_MIB,
    description: str = "",
    version: str = "1",
) -> FastAPI:
    """A FastAPI app with health, metrics, problem details, request ids and a body limit.

    Args:
        title: shown in the docs; its lower-case form names the service in logs and traces.
        settings: if given, logging and tracing of this process are set up from it.
        lifespan: opens and closes what the service needs.
        readiness: name -> works, for ``/readyz``.
        alive: false makes ``/healthz`` answer 503.
        max_body_bytes: larger request bodies are answered 413.
        description: shown in the docs.
        version: of the API.
    """
    if settings is not None:
        service = title.lower().replace(" ", "-")
        configure_logging(level=settings.log_level, output=settings.log_format, service=service)
        configure_tracing(service)
    app = FastAPI(title=title, description=description, version=version, lifespan=lifespan)
    app.add_middleware(BodyLimitMiddleware, max_bytes=max_body_bytes)
    app.add_middleware(RequestIdMiddleware)
    app.include_router(health_router(alive=alive, readiness=readiness))
    add_problem_handlers(app)
    return app
