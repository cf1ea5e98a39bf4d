"""``/healthz``, ``/readyz`` and ``/metrics``.

What "alive" and "ready" mean is given by the service; here they only become answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Checks = Mapping[str, bool]
"""Name of a thing that is needed -> whether it works."""
Liveness = Callable[[], bool]
"""Whether the process can still do its work; false means: restart me."""
Readiness = Callable[[], Awaitable[Checks]]
"""Whether work can be taken now; false means: send it elsewhere."""


def health_router(*, alive: Liveness, readiness: Readiness) -> APIRouter:
    """The three operational routes."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz")
    async def healthz() -> JSONResponse:
        """Whether the process is alive."""
        return _answer({"alive": alive()})

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """Whether the service can take work now, and what is missing."""
        return _answer(await readiness())

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Metrics in Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def _answer(checks: Checks) -> JSONResponse:
    good = all(checks.values())
    body = {"status": "ok" if good else "unavailable", "checks": dict(checks)}
    return JSONResponse(body, status_code=200 if good else 503)
