"""Pure ASGI middleware: request ids with logs and metrics.

It never touches bodies, so streams and disconnects pass through unchanged.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.telemetry.metrics import HTTP_REQUESTS, HTTP_RUNNING, HTTP_SECONDS
from shared.telemetry.tracing import continued

REQUEST_ID_HEADER = "x-request-id"
_REQUEST_ID = re.compile(r"^[0-9A-Za-z._:-]{1,64}$")
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_log = structlog.get_logger("http")


class RequestIdMiddleware:
    """Gives each request an id and records one log line and metrics for it.

    The caller's id is kept if it is harmless; the caller's trace is continued.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope["request_id"] = _request_id(headers)
        with (
            structlog.contextvars.bound_contextvars(request_id=scope["request_id"]),
            continued(_trace(headers)),
            HTTP_RUNNING.track_inprogress(),
        ):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = scope["request_id"]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            _record(scope, status, time.monotonic() - started)


def _request_id(headers: Headers) -> str:
    given = headers.get(REQUEST_ID_HEADER, "")
    return given if _REQUEST_ID.match(given) else uuid.uuid4().hex


def _trace(headers: Headers) -> Mapping[str, str]:
    names = ("traceparent", "tracestate")
    return {name: headers[name] for name in names if name in headers}


def _record(scope: Scope, status: int, seconds: float) -> None:
    route = str(getattr(scope.get("route"), "path_format", "unmatched"))
    method = str(scope["method"])
    HTTP_REQUESTS.labels(method, route, str(status)).inc()
    HTTP_SECONDS.labels(method, route).observe(seconds)
    if scope["path"] not in _QUIET:
        _log.info(
            "request_served", method=method, route=route, status=status, seconds=round(seconds, 4)
        )
