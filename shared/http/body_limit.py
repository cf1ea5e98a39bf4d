"""Pure ASGI middleware that caps request bodies.

Refused at once by ``Content-Length``, cut off when a chunked body grows too large. The cap is
per app; what a body may hold is decided by the routes.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import TooLargeError
from shared.http.problems import problem_response

DRAIN_S = 2.0
"""How long an answered client may go on sending before the connection is closed: long
enough that it reads the answer instead of a reset."""


class BodyTooLargeError(TooLargeError, HTTPException):
    """A chunked body grew too large.

    Also an ``HTTPException``: frameworks turn other errors raised while reading into a 400.
    """

    def __init__(self, detail: str) -> None:
        HTTPException.__init__(self, self.status, detail)
        TooLargeError.__init__(self, detail)
        self.headers = {"connection": "close"}


class BodyLimitMiddleware:
    """Answers 413 to bodies over ``max_bytes``."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _declared_bytes(scope) > self._max_bytes:
            await self._refuse(scope, receive, send)
            return
        await self._app(scope, self._counting(receive), send)

    def _counting(self, receive: Receive) -> Receive:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_bytes:
                raise BodyTooLargeError(self._detail())
            return message

        return counted

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = TooLargeError(self._detail()).problem()
        answer = problem_response(
            problem,
            instance=str(scope.get("request_id", "")),
            headers={"connection": "close"},
        )
        head = {"type": "http.response.start", "status": 413, "headers": answer.raw_headers}
        await send(head)
        await send({"type": "http.response.body", "body": answer.body, "more_body": True})
        await _drain(receive)
        await send({"type": "http.response.body", "body": b""})

    def _detail(self) -> str:
        return f"The body may hold at most {self._max_bytes} bytes."


def _declared_bytes(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "0")
    return int(declared) if declared.isdecimal() else 0


async def _drain(receive: Receive) -> None:
    async def read_all() -> None:
        while True:
            message = await receive()
            if message["type"] != "http.request" or not message.get("more_body", False):
                return

    try:
        await asyncio.wait_for(read_all(), DRAIN_S)
    except TimeoutError:
        return
