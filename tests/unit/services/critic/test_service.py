"""Judging with engines that say what the test wants."""

from __future__ import annotations

import asyncio
import io
import json

import pytest
from PIL import Image

from services.critic.service import CriticOptions, CriticService, white_canvas
from shared.contracts.verdicts import Verdict, VerdictTask, VerdictUnparsable
from shared.errors import ServiceUnavailableError
from shared.prompts.pack import load_pack
from tests.fakes.chat_engines import NeverAnswers, Says, StopsInTheMiddle
from tests.fakes.image_store import MemoryImageStore

PACK = load_pack("interleave")
STORE = MemoryImageStore()
AFTER = STORE.put("after.png", b"after", width_px=32, height_px=48)
BEFORE = STORE.put("before.png", b"before", width_px=32, height_px=48)


def reply(*, success: bool, prompt: str) -> str:
    answer = json.dumps({"previous_step_success": success, "refine_prompt": prompt})
    return f"<think>looks {success}</think><answer>{answer}</answer>"


def task(**changes: object) -> VerdictTask:
    fields: dict[str, object] = {
        "trajectory_id": "trj_1",
        "before": BEFORE,
        "after": AFTER,
        "plan_prompt": "add a moon",
        "used_prompt": "add a large moon",
    }
    return VerdictTask.model_validate(fields | changes)


def critic(engine: Says, *, reasks: int = 0) -> CriticService:
    return CriticService(engine, PACK, store=STORE, options=CriticOptions(reasks=reasks))


async def test_success_is_known_before_the_reply_ends() -> None:
    engine = Says((reply(success=True, prompt="add a large moon " * 50),))
    verdict = await critic(engine).judge(task())
    assert isinstance(verdict, Verdict)
    assert (verdict.success, verdict.early) == (True, True)
    assert verdict.refine_prompt == "add a large moon"
    assert verdict.reasoning == "looks True"
    assert engine.closed_early == 1
    assert engine.pieces_given < 20


async def test_the_whole_reply_is_read_when_asked_for() -> None:
    engine = Says((reply(success=True, prompt="as it was"),))
    verdict = await critic(engine).judge(task(early=False))
    assert isinstance(verdict, Verdict)
    assert (verdict.early, verdict.refine_prompt) == (False, "as it was")
    assert engine.closed_early == 0


async def test_a_failure_carries_the_new_prompt() -> None:
    verdict = await critic(Says((reply(success=False, prompt="larger"),))).judge(task())
    assert isinstance(verdict, Verdict)
    assert (verdict.success, verdict.refine_prompt) == (False, "larger")


async def test_before_comes_first_and_is_white_when_there_is_none() -> None:
    engine = Says((reply(success=False, prompt="x"),))
    await critic(engine).judge(task())
    assert engine.asked[0].messages[-1].images == (b"before", b"after")
    await critic(engine).judge(task(before=None))
    canvas, after = engine.asked[1].messages[-1].images
    assert after == b"after"
    with Image.open(io.BytesIO(canvas)) as image:
        assert image.size == (32, 48)
        assert image.getpixel((5, 5)) == (255, 255, 255)


async def test_an_unreadable_verdict_is_an_answer() -> None:
    engine = Says(("no idea",))
    verdict = await critic(engine).judge(task())
    assert isinstance(verdict, VerdictUnparsable)
    assert len(engine.asked) == 1


async def test_a_bounded_number_of_reasks_with_other_seeds() -> None:
    engine = Says(("no idea", "still none", reply(success=False, prompt="x")))
    verdict = await critic(engine, reasks=1).judge(task(seed=4))
    assert isinstance(verdict, VerdictUnparsable)
    assert [asked.seed for asked in engine.asked] == [4, 5]
    assert isinstance(await critic(engine, reasks=1).judge(task()), Verdict)


async def test_a_lost_engine_is_an_error() -> None:
    with pytest.raises(ServiceUnavailableError):
        await critic(StopsInTheMiddle((reply(success=True, prompt="x"),))).judge(task())


async def test_cancelling_stops_the_engine() -> None:
    engine = NeverAnswers()
    call = asyncio.create_task(critic(engine).judge(task()))
    await engine.started.wait()
    call.cancel()
    async with asyncio.timeout(1):
        await engine.stopped.wait()


def test_the_canvas_is_made_once_per_size() -> None:
    assert white_canvas(16, 16) is white_canvas(16, 16)
