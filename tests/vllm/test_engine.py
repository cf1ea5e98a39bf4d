"""The engine client, and the services on it, against a real vLLM server."""

from __future__ import annotations

import asyncio
import io
import json
import time
from contextlib import aclosing

import pytest
from PIL import Image

from services.critic.service import CriticService
from services.planner.service import PlannerService
from shared.contracts.plans import PlanFinished, PlanStepWritten, PlanTask
from shared.contracts.verdicts import Verdict, VerdictTask
from shared.errors import ServiceRejectedError
from shared.llm.engine import ChatMessage, ImagePart, TextPart
from shared.llm.openai_chat import OpenAIChatEngine
from shared.prompts.pack import load_pack
from tests.fakes.image_store import MemoryImageStore
from tests.vllm.conftest import VllmServer

PACK = load_pack("sketchbook")
PLAN_REGEX = (
    r'<answer>\{"execution_plan": \[\{"step_number": 1, "prompt": "[a-z ]{5,12}"\}, '
    r'\{"step_number": 2, "prompt": "[a-z ]{5,12}"\}\]\}</answer>'
)
PASS_REGEX = (
    r'<answer>\{"previous_step_success": true, "refine_prompt": "[a-z ]{200,220}"\}</answer>'
)
FAIL_REGEX = r'<answer>\{"previous_step_success": false, "refine_prompt": "[a-z ]{5,20}"\}</answer>'
STOPS_WITHIN_S = 2.0
LETTERS = {"structured_outputs": {"regex": "[a-z ]{40}"}}
"""Keeps a random model to readable text of a known length."""


def png(colour: str, side_px: int = 64) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side_px, side_px), colour).save(file, "PNG")
    return file.getvalue()


def question(*images: bytes, text: str = "What is this?") -> list[ChatMessage]:
    parts = (*(ImagePart(image) for image in images), TextPart(text))
    return [ChatMessage("system", (TextPart("Judge."),)), ChatMessage("user", parts)]


async def ask(
    engine: OpenAIChatEngine, messages: list[ChatMessage], *, seed: int = 0, tokens: int = 24
) -> list[str]:
    pieces = engine.stream(messages, max_tokens=tokens, temperature=1.0, seed=seed)
    async with aclosing(pieces):
        return [piece async for piece in pieces]


async def test_it_streams_piece_by_piece_and_is_healthy(vllm: VllmServer) -> None:
    engine = vllm.engine(**LETTERS)
    await engine.health()
    pieces = await ask(engine, question(), tokens=60)
    assert len(pieces) > 3
    assert len("".join(pieces)) == 40
    await engine.aclose()


async def test_a_seed_decides_the_answer(vllm: VllmServer) -> None:
    engine = vllm.engine(**LETTERS)
    first = "".join(await ask(engine, question(), seed=1))
    assert "".join(await ask(engine, question(), seed=1)) == first
    assert "".join(await ask(engine, question(), seed=2)) != first
    await engine.aclose()


async def test_two_images_and_their_order_are_seen(vllm: VllmServer) -> None:
    engine = vllm.engine(**LETTERS)
    red, blue = png("red"), png("blue", 128)
    answers = {
        "".join(await ask(engine, question(*images), seed=3))
        for images in ((red, blue), (blue, red), (red, red))
    }
    assert len(answers) == 3
    await engine.aclose()


async def test_too_many_images_are_refused_for_good(vllm: VllmServer) -> None:
    engine = vllm.engine()
    with pytest.raises(ServiceRejectedError):
        await ask(engine, question(*[png("red")] * 5))
    await engine.aclose()


async def test_a_json_schema_binds_the_answer(vllm: VllmServer) -> None:
    schema = {
        "type": "object",
        "properties": {"good": {"type": "boolean"}},
        "required": ["good"],
        "additionalProperties": False,
    }
    engine = vllm.engine(structured_outputs={"json": schema})
    answer = json.loads("".join(await ask(engine, question(png("red")))))
    assert isinstance(answer["good"], bool)
    await engine.aclose()


async def test_closing_the_stream_stops_the_server(vllm: VllmServer) -> None:
    engine = vllm.engine(ignore_eos=True)
    pieces = engine.stream(question(), max_tokens=3000, temperature=1.0, seed=0)
    await anext(pieces)
    assert await asyncio.to_thread(vllm.running) == 1
    await pieces.aclose()
    await _until_idle(vllm)
    await engine.aclose()


async def test_the_planner_service_plans_through_vllm(vllm: VllmServer) -> None:
    engine = vllm.engine(structured_outputs={"regex": PLAN_REGEX})
    store = MemoryImageStore()
    ref = store.put("in.png", png("green"), width_px=64, height_px=64)
    service = PlannerService(engine, PACK, store=store)
    task = PlanTask(trajectory_id="trj_1", prompt="A boat.", steps=2, seed=5)
    messages = [message async for message in service.plan(task)]
    assert [type(message) for message in messages] == [
        PlanStepWritten, PlanStepWritten, PlanFinished,
    ]  # fmt: skip
    again = [message async for message in service.plan(task)]
    assert again == messages
    guided = task.model_copy(update={"prompt": "Go on.", "images": (ref,)})
    end = [message async for message in service.plan(guided)][-1]
    assert isinstance(end, PlanFinished)
    assert len(end.plan.steps) == 2
    await engine.aclose()


def _verdict_task(store: MemoryImageStore) -> VerdictTask:
    return VerdictTask(
        trajectory_id="trj_1",
        before=None,
        after=store.put("a.png", png("red"), width_px=64, height_px=64),
        plan_prompt="a red place",
        used_prompt="a red place",
    )


async def test_an_early_verdict_does_not_wait_for_the_echo(vllm: VllmServer) -> None:
    store = MemoryImageStore()
    engine = vllm.engine(structured_outputs={"regex": PASS_REGEX})
    service = CriticService(engine, PACK, store=store)
    task = _verdict_task(store)
    early = await service.judge(task)
    whole = await service.judge(task.model_copy(update={"early": False}))
    assert isinstance(early, Verdict)
    assert isinstance(whole, Verdict)
    assert (early.success, early.early, whole.early) == (True, True, False)
    assert early.output_tokens < whole.output_tokens / 2
    await _until_idle(vllm)
    await engine.aclose()


async def test_a_failed_picture_comes_with_a_new_prompt(vllm: VllmServer) -> None:
    store = MemoryImageStore()
    engine = vllm.engine(structured_outputs={"regex": FAIL_REGEX})
    verdict = await CriticService(engine, PACK, store=store).judge(_verdict_task(store))
    assert isinstance(verdict, Verdict)
    assert not verdict.success
    assert 5 <= len(verdict.refine_prompt) <= 20
    await engine.aclose()


async def test_cancelling_a_verdict_stops_the_server(vllm: VllmServer) -> None:
    store = MemoryImageStore()
    slow = PASS_REGEX.replace("true", "false").replace("{200,220}", "{300,380}")
    engine = vllm.engine(structured_outputs={"regex": slow})
    service = CriticService(engine, PACK, store=store)
    call = asyncio.create_task(service.judge(_verdict_task(store)))
    give_up_at = time.monotonic() + 30
    while not await asyncio.to_thread(vllm.running):
        assert not call.done()
        assert time.monotonic() < give_up_at
    call.cancel()
    await _until_idle(vllm)
    await engine.aclose()


async def _until_idle(vllm: VllmServer) -> None:
    give_up_at = time.monotonic() + STOPS_WITHIN_S
    while await asyncio.to_thread(vllm.running):
        assert time.monotonic() < give_up_at, "vLLM went on working"
        await asyncio.sleep(0.05)
