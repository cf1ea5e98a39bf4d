"""The client of OpenAI-compatible servers: what it sends, and what it makes of answers."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from shared.errors import (
    BadReplyError,
    InterleaveError,
    ServiceRejectedError,
    ServiceTimeoutError,
    ServiceUnavailableError,
)
from shared.llm.engine import ChatMessage, ImagePart, TextPart
from shared.llm.openai_chat import OpenAIChatEngine, OpenAISettings

MESSAGES = [
    ChatMessage("system", (TextPart("be brief"),)),
    ChatMessage("user", (TextPart("what is"), ImagePart(b"png"), TextPart("?"))),
]
Handler = Callable[[httpx.Request], httpx.Response]


def _engine(handler: Handler, **extra: object) -> OpenAIChatEngine:
    settings = OpenAISettings("http://chat.test/v1", "tiny", api_key="k", extra_body=extra)
    return OpenAIChatEngine(settings, transport=httpx.MockTransport(handler))


def _events(*pieces: str, end: str = "data: [DONE]\n\n") -> str:
    lines = (json.dumps({"choices": [{"delta": {"content": piece}}]}) for piece in pieces)
    return "".join(f"data: {line}\n\n" for line in lines) + end


async def _answer(engine: OpenAIChatEngine) -> str:
    stream = engine.stream(MESSAGES, max_tokens=9, temperature=0.5, seed=3)
    return "".join([piece async for piece in stream])


async def test_pieces_arrive_in_order() -> None:
    engine = _engine(lambda _request: httpx.Response(200, text=_events("a ", "", "cat")))
    assert await _answer(engine) == "a cat"


async def test_messages_images_and_settings_are_sent() -> None:
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, text=_events("x"))

    await _answer(_engine(handler, structured_outputs={"regex": "x"}))
    body = json.loads(sent[0].content)
    assert sent[0].url == "http://chat.test/v1/chat/completions"
    assert sent[0].headers["authorization"] == "Bearer k"
    assert body["messages"][0] == {"role": "system", "content": "be brief"}
    kinds = [part["type"] for part in body["messages"][1]["content"]]
    assert kinds == ["text", "image_url", "text"]
    assert body["messages"][1]["content"][1]["image_url"]["url"] == "data:image/png;base64,cG5n"
    assert (body["max_tokens"], body["temperature"], body["seed"]) == (9, 0.5, 3)
    assert body["structured_outputs"] == {"regex": "x"}


@pytest.mark.parametrize(
    ("status", "error", "retryable"),
    [
        (400, ServiceRejectedError, False),
        (401, ServiceRejectedError, False),
        (429, ServiceUnavailableError, True),
        (503, ServiceUnavailableError, True),
    ],
)
async def test_a_refusal_says_whether_to_try_again(
    status: int,
    error: type[InterleaveError],
    retryable: bool,  # noqa: FBT001
) -> None:
    engine = _engine(lambda _request: httpx.Response(status, text="why not"))
    with pytest.raises(error, match="why not") as raised:
        await _answer(engine)
    assert raised.value.retryable is retryable


@pytest.mark.parametrize(
    "text",
    [
        _events("cut", end=""),
        "data: no json\n\n",
        "data: []\n\n",
        'data: {"choices": [{}]}\n\n',
        'data: {"choices": 3}\n\n',
        'data: {"choices": [{"delta": {"content": 7}}]}\n\n',
        'data: {"choices": [{"delta": {"content": ["a"]}}]}\n\n',
        f"data: {'[' * 100_000}\n\n",
    ],
)
async def test_rubbish_is_a_bad_reply(text: str) -> None:
    with pytest.raises(BadReplyError):
        await _answer(_engine(lambda _request: httpx.Response(200, text=text)))


async def test_an_error_inside_the_stream_is_raised() -> None:
    text = 'data: {"error": {"message": "out of memory"}}\n\n'
    with pytest.raises(ServiceUnavailableError, match="out of memory"):
        await _answer(_engine(lambda _request: httpx.Response(200, text=text)))


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (httpx.ConnectError("refused"), ServiceUnavailableError),
        (httpx.ConnectTimeout("slow"), ServiceUnavailableError),
        (httpx.ReadTimeout("silent"), ServiceTimeoutError),
        (httpx.RemoteProtocolError("gone"), ServiceUnavailableError),
    ],
)
async def test_a_broken_connection_is_typed(
    broken: httpx.HTTPError, error: type[InterleaveError]
) -> None:
    def handler(_request: httpx.Request) -> httpx.Response:
        raise broken

    with pytest.raises(error):
        await _answer(_engine(handler))


async def test_health_asks_for_the_models() -> None:
    await _engine(lambda _request: httpx.Response(200, json={"data": []})).health()
    with pytest.raises(ServiceUnavailableError):
        await _engine(lambda _request: httpx.Response(500)).health()
