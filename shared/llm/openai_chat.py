"""Chat engine on any OpenAI-compatible server, vLLM first of all.

Images travel as data URLs; closing the stream closes the connection, which is what makes the
server stop. Not here: what is said (``shared.prompts``) and retries (the caller's).
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NoReturn

import httpx

from shared.errors import (
    BadReplyError,
    ServiceRejectedError,
    ServiceTimeoutError,
    ServiceUnavailableError,
)
from shared.llm.engine import ChatMessage, Part, TextPart

_DATA = "data:"
_DONE = "[DONE]"
_BUSY = frozenset({408, 425, 429})
_OK = 200
_FIRST_SERVER_ERROR = 500
_MAX_DETAIL = 500
_MAX_REPLY_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class OpenAISettings:
    """Where the server is and how long it may take."""

    base_url: str
    """With the version: ``http://host:8000/v1``."""
    model: str
    api_key: str = ""
    connect_timeout_s: float = 5.0
    silence_timeout_s: float = 120.0
    """Longest silence: up to the first piece of text, and between two pieces."""
    extra_body: Mapping[str, object] = field(default_factory=dict[str, object])
    """More fields for the request, as vLLM's ``structured_outputs``."""


class OpenAIChatEngine:
    """Streams answers from ``POST {base_url}/chat/completions``."""

    def __init__(
        self, settings: OpenAISettings, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Open a connection pool; ``transport`` replaces the network."""
        self._settings = settings
        headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
        self._http = httpx.AsyncClient(
            base_url=settings.base_url.rstrip("/") + "/",
            headers=headers,
            timeout=httpx.Timeout(settings.silence_timeout_s, connect=settings.connect_timeout_s),
            transport=transport,
            trust_env=False,
        )

    @property
    def model(self) -> str:
        """Name of the model that answers."""
        return self._settings.model

    async def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
    ) -> AsyncGenerator[str]:
        """See ``ChatEngine.stream``."""
        body = {
            "model": self._settings.model,
            "messages": [_message(message) for message in messages],
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "stream": True,
            **self._settings.extra_body,
        }
        try:
            async with (
                self._http.stream("POST", "chat/completions", json=body) as response,
                aclosing(_pieces(response)) as pieces,
            ):
                async for piece in pieces:
                    yield piece
        except httpx.HTTPError as error:
            _raise_for(error)

    async def health(self) -> None:
        """See ``ChatEngine.health``; asks for the server's list of models."""
        try:
            response = await self._http.get("models", timeout=self._settings.connect_timeout_s)
        except httpx.HTTPError as error:
            _raise_for(error)
        if response.status_code != _OK:
            raise ServiceUnavailableError(f"the chat server answers {response.status_code}")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()


def _message(message: ChatMessage) -> dict[str, object]:
    if message.role == "system":
        text = "".join(part.text for part in message.parts if isinstance(part, TextPart))
        return {"role": "system", "content": text}
    return {"role": message.role, "content": [_part(part) for part in message.parts]}


def _part(part: Part) -> dict[str, object]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    encoded = base64.b64encode(part.png).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded}"}}


async def _pieces(response: httpx.Response) -> AsyncGenerator[str]:
    if response.status_code != _OK:
        await response.aread()
        _refuse(response)
    total = 0
    async for line in response.aiter_lines():
        if not line.startswith(_DATA):
            continue
        data = line.removeprefix(_DATA).strip()
        if data == _DONE:
            return
        piece = _delta(data)
        total += len(piece)
        if total > _MAX_REPLY_CHARACTERS:
            raise BadReplyError("the chat server's answer has no end")
        if piece:
            yield piece
    raise BadReplyError("the chat server's stream broke off")


def _delta(data: str) -> str:
    try:
        event = json.loads(data)
        if "error" in event:
            raise ServiceUnavailableError(
                f"the chat server failed: {str(event['error'])[:_MAX_DETAIL]}"
            )
        choices = event["choices"]
        piece = (choices[0]["delta"].get("content") or "") if choices else ""
    except (
        ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError,
    ) as error:  # fmt: skip
        raise BadReplyError(f"not a chat event: {data[:_MAX_DETAIL]}") from error
    if not isinstance(piece, str):
        raise BadReplyError(f"a piece of the answer is no text: {data[:_MAX_DETAIL]}")
    return piece


def _refuse(response: httpx.Response) -> NoReturn:
    detail = f"the chat server answers {response.status_code}: {response.text[:_MAX_DETAIL]}"
    if response.status_code in _BUSY or response.status_code >= _FIRST_SERVER_ERROR:
        raise ServiceUnavailableError(detail)
    raise ServiceRejectedError(detail)


def _raise_for(error: httpx.HTTPError) -> NoReturn:
    name = type(error).__name__
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        raise ServiceUnavailableError(f"the chat server cannot be reached: {name}") from error
    if isinstance(error, httpx.TimeoutException):
        raise ServiceTimeoutError(f"the chat server stays silent: {name}") from error
    if isinstance(error, httpx.DecodingError):
        raise BadReplyError(f"the chat server's answer cannot be decoded: {name}") from error
    raise ServiceUnavailableError(f"the chat server cannot be reached: {name}: {error}") from error
