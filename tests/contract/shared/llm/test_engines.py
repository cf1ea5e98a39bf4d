"""What every chat engine must do, run on each of them: a server's client and the real model."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from services.trainer.sketchbook.agents.lessons import caption_lesson, request_lesson
from services.trainer.sketchbook.agents.model import new_model, save_folder
from services.trainer.sketchbook.agents.tokenizer import train_tokenizer
from shared.llm.engine import ChatEngine, ChatMessage, ImagePart, TextPart
from shared.llm.openai_chat import OpenAIChatEngine, OpenAISettings
from shared.llm.qwen3_vl import Qwen3VLEngine


def _png(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (128, 128), colour).save(file, "PNG")
    return file.getvalue()


TEXT_ONLY = [ChatMessage("user", (TextPart("tell a story of a cat"),))]
TWO_IMAGES = [
    ChatMessage("system", (TextPart("Judge."),)),
    ChatMessage("user", (ImagePart(_png("red")), ImagePart(_png("blue")), TextPart("add a cat"))),
]


class _EndlessServer(ThreadingHTTPServer):
    """Streams ``word N`` until the client goes away, at most ``max_tokens`` times."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.gone = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._start("application/json")
        self.wfile.write(b'{"data": []}')

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self._start("text/event-stream")
        try:
            for number in range(body["max_tokens"]):
                piece = {"choices": [{"delta": {"content": f"word {number} {body['seed']} "}}]}
                self.wfile.write(f"data: {json.dumps(piece)}\n\n".encode())
                self.wfile.flush()
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            assert isinstance(self.server, _EndlessServer)
            self.server.gone.set()

    def _start(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.end_headers()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained tiny model."""
    rng = Random(0)
    texts = [maker(rng).answer for _ in range(200) for maker in (caption_lesson, request_lesson)]
    tokenizer = train_tokenizer(texts)
    path = tmp_path_factory.mktemp("tiny")
    save_folder(new_model(tokenizer, 0), tokenizer, path)
    return path


@pytest.fixture(scope="module")
def server() -> Iterator[_EndlessServer]:
    with _EndlessServer() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture(params=["openai_chat", "qwen3_vl"])
async def engine(
    request: pytest.FixtureRequest, folder: Path, server: _EndlessServer
) -> AsyncIterator[ChatEngine]:
    if request.param == "qwen3_vl":
        made: ChatEngine = Qwen3VLEngine(str(folder), device="cpu")
    else:
        url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        made = OpenAIChatEngine(OpenAISettings(url, "endless"))
    yield made
    await made.aclose()


async def _answer(
    engine: ChatEngine, messages: list[ChatMessage], *, temperature: float = 0.0, seed: int = 0
) -> str:
    stream = engine.stream(messages, max_tokens=12, temperature=temperature, seed=seed)
    return "".join([piece async for piece in stream])


@pytest.mark.parametrize("messages", [TEXT_ONLY, TWO_IMAGES])
async def test_the_same_question_gets_the_same_answer(
    engine: ChatEngine, messages: list[ChatMessage]
) -> None:
    first = await _answer(engine, messages)
    assert first
    assert await _answer(engine, messages) == first


async def test_an_image_conversation_leaves_nothing_behind(engine: ChatEngine) -> None:
    alone = await _answer(engine, TEXT_ONLY)
    await _answer(engine, TWO_IMAGES)
    assert await _answer(engine, TEXT_ONLY) == alone


async def test_the_seed_decides_a_sampled_answer(engine: ChatEngine) -> None:
    answers = [await _answer(engine, TEXT_ONLY, temperature=1.0, seed=s) for s in (1, 1, 2)]
    assert answers[0] == answers[1]
    assert answers[0] != answers[2]


async def test_closing_the_stream_frees_the_engine_at_once(engine: ChatEngine) -> None:
    stream = engine.stream(TEXT_ONLY, max_tokens=100_000, temperature=1.0, seed=5)
    async with aclosing(stream):
        await anext(stream)
    async with asyncio.timeout(5):
        assert await _answer(engine, TEXT_ONLY)


async def test_two_conversations_at_once_do_not_mix(engine: ChatEngine) -> None:
    alone = [await _answer(engine, messages) for messages in (TEXT_ONLY, TWO_IMAGES)]
    together = await asyncio.gather(_answer(engine, TEXT_ONLY), _answer(engine, TWO_IMAGES))
    assert list(together) == alone


async def test_a_usable_engine_is_healthy_and_says_its_name(engine: ChatEngine) -> None:
    await engine.health()
    assert engine.model


async def test_the_server_sees_the_client_go(server: _EndlessServer) -> None:
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    engine = OpenAIChatEngine(OpenAISettings(url, "endless"))
    server.gone.clear()
    stream = engine.stream(TEXT_ONLY, max_tokens=1_000_000, temperature=0.0, seed=0)
    async with aclosing(stream):
        await anext(stream)
    assert await asyncio.to_thread(server.gone.wait, 5)
    await engine.aclose()
