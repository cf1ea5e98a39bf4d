"""Pure ASGI middleware that caps a request's address and headers.

What comes in pieces is capped by the protocol; this also covers what arrives whole.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.settings import GatewaySettings
from shared.contracts.problems import Problem
from shared.http.problems import problem_response


class HeadLimitMiddleware:
    """Answers 414 to long addresses, 431 to too many or too long headers."""

    def __init__(self, app: ASGIApp, *, settings: GatewaySettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
            return
        answer = problem_response(problem, instance=str(scope.get("request_id", "")))
        await answer(scope, receive, send)

    def _problem(self, scope: Scope) -> Problem | None:
        limits, headers = self._settings, scope["headers"]
        address = len(scope.get("raw_path") or b"") + len(scope["query_string"])
        if address > limits.max_url_bytes:
            detail = f"The address may have at most {limits.max_url_bytes} bytes."
            return _problem_of(HTTPStatus.REQUEST_URI_TOO_LONG, detail)
        if len(headers) > limits.max_headers:
            detail = f"A request may have at most {limits.max_headers} headers."
            return _problem_of(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
        if sum(len(name) + len(value) for name, value in headers) > limits.max_header_bytes:
            detail = f"The headers may have at most {limits.max_header_bytes} bytes."
            return _problem_of(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
        if {b"content-length", b"transfer-encoding"} <= {name for name, _ in headers}:
            # Two servers in a row could disagree on where such a request ends.
            detail = "Send `Content-Length` or `Transfer-Encoding`, not both."
            return _problem_of(HTTPStatus.BAD_REQUEST, detail)
        return None


def _problem_of(status: HTTPStatus, detail: str) -> Problem:
    code = status.phrase.lower().replace(" ", "_").replace("-", "_")
    return Problem(code=code, title=status.phrase, detail=detail, status=status)
