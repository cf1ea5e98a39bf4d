"""Work that stops when the client hangs up: plain (not streamed) routes need this.

Streamed answers are cancelled by the framework itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

from shared.errors import InterleaveError

Result = TypeVar("Result")


class ClientGoneError(InterleaveError):
    """The client closed the connection; nobody reads this answer."""

    code = "client_gone"
    title = "The client closed the connection"
    status = 499


async def while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of ``work``, which is cancelled when the client hangs up before.

    Call it only after the request's body has been read.

    Raises:
        ClientGoneError: if the client hung up.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientGoneError
    finally:
        for one in (task, gone):
            one.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue
