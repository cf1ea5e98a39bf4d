"""Serves the Sketchbook teacher as an OpenAI-compatible chat server, in a thread of this process.

Not here: what it answers (``teacher``).
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from typing import Literal, Protocol

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict

from shared.errors import InterleaveError, ServiceUnavailableError
from shared.llm.engine import ChatMessage, ImagePart, Part, TextPart

TEACHER = "sketchbook-teacher"
_START_TIMEOUT_S = 30.0
_POLL_S = 0.02


class Teacher(Protocol):
    """Answers conversations."""

    def answer(self, messages: list[ChatMessage]) -> str:
        """The whole reply."""
        ...


class _Loose(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Url(_Loose):
    url: str


class _PartBody(_Loose):
    type: Literal["text", "image_url"]
    text: str = ""
    image_url: _Url | None = None

    def part(self) -> Part:
        """As the engines take it; data URLs only."""
        if self.image_url is None:
            return TextPart(self.text)
        return ImagePart(base64.b64decode(self.image_url.url.partition(",")[2]))


class _MessageBody(_Loose):
    role: Literal["system", "user", "assistant"]
    content: str | list[_PartBody]

    def message(self) -> ChatMessage:
        """As the engines take it."""
        if isinstance(self.content, str):
            return ChatMessage(self.role, (TextPart(self.content),))
        return ChatMessage(self.role, tuple(part.part() for part in self.content))


class _ChatBody(_Loose):
    messages: list[_MessageBody]


def teacher_app(teacher: Teacher) -> FastAPI:
    """``GET /v1/models`` and ``POST /v1/chat/completions``, streamed."""
    app = FastAPI(openapi_url=None)

    def models() -> dict[str, object]:
        return {"object": "list", "data": [{"id": TEACHER, "object": "model"}]}

    def chat(body: _ChatBody) -> StreamingResponse | JSONResponse:
        try:
            reply = teacher.answer([message.message() for message in body.messages])
        except InterleaveError as error:
            return JSONResponse({"error": {"message": error.detail}}, status_code=400)
        return StreamingResponse(_events(reply), media_type="text/event-stream")

    app.add_api_route("/v1/models", models)
    app.add_api_route("/v1/chat/completions", chat, methods=["POST"], response_model=None)
    return app


async def _events(reply: str) -> AsyncGenerator[str]:
    chunk = {"choices": [{"index": 0, "delta": {"content": reply}, "finish_reason": "stop"}]}
    yield f"data: {json.dumps(chunk)}\n\n"
    yield "data: [DONE]\n\n"


@contextmanager
def serving(teacher: Teacher) -> Generator[str]:
    """The base URL of a server that runs for the length of the block.

    Raises:
        ServiceUnavailableError: It did not start.
    """
    config = uvicorn.Config(
        teacher_app(teacher), host="127.0.0.1", port=0, log_level="error", access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="teacher", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{_port(server, thread)}/v1"
    finally:
        server.should_exit = True
        thread.join(_START_TIMEOUT_S)


def _port(server: uvicorn.Server, thread: threading.Thread) -> int:
    give_up_at = time.monotonic() + _START_TIMEOUT_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > give_up_at:
            raise ServiceUnavailableError("the teacher's server did not start")
        time.sleep(_POLL_S)
    return int(server.servers[0].sockets[0].getsockname()[1])
