"""The images API backend against a server played by a function."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from PIL import Image

from services.generator.backends.openai_images import OpenAIImagesBackend
from services.generator.pictures import encoded
from services.generator.ports import DrawRequest, Refusal
from services.generator.settings import GeneratorSettings
from shared.errors import (
    BadReplyError,
    InterleaveError,
    InvalidRequestError,
    ServiceRejectedError,
    ServiceTimeoutError,
    ServiceUnavailableError,
)

RED = Image.new("RGB", (64, 64), "red")
Answer = Callable[[httpx.Request], httpx.Response]


def asked(*references: Image.Image, **changes: object) -> DrawRequest:
    fields: dict[str, Any] = {"prompt": "a house", "width_px": 64, "height_px": 64, "seed": 7}
    fields.update(changes)
    return DrawRequest(references=references, **fields)


def backend(answer: Answer, **settings: object) -> OpenAIImagesBackend:
    given = {"base_url": "http://images.test/v1", "model": "m", "api_key": "k"} | settings
    return OpenAIImagesBackend(
        GeneratorSettings.model_validate(given), transport=httpx.MockTransport(answer)
    )


def picture(image: Image.Image = RED) -> httpx.Response:
    text = base64.b64encode(encoded(image)).decode()
    return httpx.Response(200, json={"created": 1, "data": [{"b64_json": text}]})


async def draw(answer: Answer, request: DrawRequest, **settings: object) -> Image.Image | Refusal:
    found = backend(answer, **settings)
    found.shape_of(request)
    drawings = await found.draw([request])
    await found.close()
    return drawings[0]


async def test_text_alone_is_a_generation_with_our_fields_under_its_names() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return picture()

    drawing = await draw(answer, asked(steps=4), seed_field="seed", steps_field="num_steps")
    assert isinstance(drawing, Image.Image)
    assert drawing.getpixel((0, 0)) == (255, 0, 0)
    assert seen[0].url.path == "/v1/images/generations"
    assert seen[0].headers["authorization"] == "Bearer k"
    body = json.loads(seen[0].content)
    assert body == {
        "model": "m", "prompt": "a house", "n": 1, "size": "64x64",
        "response_format": "b64_json", "seed": 7, "num_steps": 4,
    }  # fmt: skip


async def test_references_make_it_an_edit_with_files() -> None:
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/images/edits"
        seen.append(request.content)
        return picture()

    await draw(answer, asked(RED, RED))
    assert seen[0].count(b'name="image[]"') == 2
    assert encoded(RED) in seen[0]


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, {"code": "invalid_size", "message": "no"}, ServiceRejectedError),
        (401, {"message": "who?"}, ServiceRejectedError),
        (429, {"message": "slow"}, ServiceUnavailableError),
        (500, {}, ServiceUnavailableError),
    ],
)
async def test_a_status_becomes_a_typed_error(
    status: int, error: dict[str, str], expected: type[InterleaveError]
) -> None:
    with pytest.raises(expected):
        await draw(lambda _: httpx.Response(status, json={"error": error}), asked())


async def test_a_moderation_refusal_is_an_answer() -> None:
    error = {"code": "moderation_blocked", "message": "no"}
    drawing = await draw(lambda _: httpx.Response(400, json={"error": error}), asked())
    assert isinstance(drawing, Refusal)


@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b'{"data": []}', b'{"data": [{"b64_json": "AAAA"}]}']
)
async def test_rubbish_is_a_bad_reply(body: bytes) -> None:
    with pytest.raises(BadReplyError):
        await draw(lambda _: httpx.Response(200, content=body), asked())


async def test_another_size_than_asked_is_not_passed_off_as_the_picture() -> None:
    small = Image.new("RGB", (32, 32))
    with pytest.raises(InvalidRequestError, match="32 x 32"):
        await draw(lambda _: picture(small), asked())


async def test_a_silent_server_times_out() -> None:
    def silent(_request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("")

    with pytest.raises(ServiceTimeoutError):
        await draw(silent, asked())


async def test_steps_guidance_and_references_it_cannot_take_are_refused() -> None:
    found = backend(lambda _: picture(), max_references=1)
    for wrong in (asked(steps=4), asked(guidance=2.0), asked(RED, RED)):
        with pytest.raises(InvalidRequestError):
            found.shape_of(wrong)
    await found.close()
