"""Planning with engines that say what the test wants."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from services.planner.service import PlannerOptions, PlannerService
from shared.contracts.plans import (
    PlanCheck,
    PlanFinished,
    PlanRefused,
    PlanStepWritten,
    PlanTask,
)
from shared.errors import ObjectMissingError, ServiceUnavailableError
from shared.prompts.pack import PromptPack, Scope, load_pack
from shared.prompts.rendering import ImageMarksError
from tests.fakes.chat_engines import Says, StopsInTheMiddle
from tests.fakes.image_store import MemoryImageStore

PACK = load_pack("interleave")
STORE = MemoryImageStore()


def reply(*prompts: str | None, first: int = 1) -> str:
    steps = [
        {
            "step_number": number,
            "step_name": f"name {number}",
            "instruction": None if prompt is None else f"instruction {number}",
            "prompt": prompt,
            "auxiliary_text": f"text {number}" if prompt is None else None,
        }
        for number, prompt in enumerate(prompts, start=first)
    ]
    return f"<think>hm</think><answer>{json.dumps({'execution_plan': steps})}</answer>"


def task(**changes: object) -> PlanTask:
    fields: dict[str, object] = {"trajectory_id": "trj_1", "prompt": "A boat.", "seed": 3}
    return PlanTask.model_validate(fields | changes)


async def planned(
    engine: Says, asked: PlanTask | None = None, *, options: PlannerOptions | None = None
) -> tuple[list[str | None], PlanFinished | PlanRefused]:
    """Prompts of the streamed steps, and the end message."""
    service = PlannerService(engine, PACK, store=STORE, options=options)
    messages = [message async for message in service.plan(asked or task())]
    end = messages.pop()
    assert not isinstance(end, PlanStepWritten)
    return [one.step.prompt for one in messages if isinstance(one, PlanStepWritten)], end


def prompts(end: PlanFinished | PlanRefused) -> Sequence[str | None]:
    assert isinstance(end, PlanFinished)
    return [step.prompt for step in end.plan.steps]


async def test_steps_come_while_the_planner_still_writes() -> None:
    engine = Says((reply("a boat", "add a moon"),))
    service = PlannerService(engine, PACK, store=STORE)
    messages = service.plan(task())
    async with aclosing(messages):
        first = await anext(messages)
        given = engine.pieces_given
        assert isinstance(first, PlanStepWritten)
        assert first.step.prompt == "a boat"
        rest = [message async for message in messages]
    assert engine.pieces_given > given + 5
    assert prompts(rest[-1]) == ["a boat", "add a moon"]  # type: ignore[arg-type]


async def test_leaving_early_stops_the_engine() -> None:
    engine = Says((reply("a boat", "add a moon"),))
    messages = PlannerService(engine, PACK, store=STORE).plan(task())
    await anext(messages)
    await messages.aclose()
    assert engine.closed_early == 1


async def test_a_plan_of_the_wrong_length_is_asked_for_again_with_the_reason() -> None:
    engine = Says((reply("a boat"), reply("a boat", "add a moon")))
    shown, end = await planned(engine, task(steps=2))
    assert shown == ["a boat", "add a moon"]
    assert prompts(end) == ["a boat", "add a moon"]
    again = engine.asked[1].messages
    assert [message.role for message in again[-2:]] == ["assistant", "user"]
    assert "2 steps were asked for" in str(again[-1].parts[0])


async def test_a_small_model_is_asked_the_same_again_with_another_seed() -> None:
    engine = Says(("nothing", reply("a boat")))
    _, end = await planned(engine, options=PlannerOptions(explains=False))
    assert prompts(end) == ["a boat"]
    first, second = engine.asked
    assert second.messages == first.messages
    assert second.seed == first.seed + 1
    assert second.temperature > first.temperature


async def test_a_small_models_counted_plan_is_shown_only_when_it_is_right() -> None:
    engine = Says((reply("a boat"), reply("a ship", "add a moon")))
    options = PlannerOptions(explains=False)
    shown, end = await planned(engine, task(steps=2), options=options)
    assert shown == ["a ship", "add a moon"]
    assert prompts(end) == ["a ship", "add a moon"]


async def test_steps_beyond_the_asked_number_are_never_shown() -> None:
    too_many = reply("a boat", "add a moon", "add a star")
    shown, end = await planned(Says((too_many,)), task(steps=2))
    assert shown == ["a boat", "add a moon"]
    assert isinstance(end, PlanRefused)
    assert end.code == "plan_unusable"
    assert "2 steps were asked for" in end.detail


async def test_a_second_plan_that_takes_a_shown_step_back_is_refused() -> None:
    engine = Says((reply("a boat"), reply("a ship", "add a moon")))
    shown, end = await planned(engine, task(steps=2), options=PlannerOptions(reasks=5))
    assert shown == ["a boat"]
    assert isinstance(end, PlanRefused)
    assert len(engine.asked) == 2


async def test_rubbish_is_refused_after_a_bounded_number_of_tries() -> None:
    engine = Says(("I cannot do that.",))
    shown, end = await planned(engine, options=PlannerOptions(reasks=2))
    assert shown == []
    assert isinstance(end, PlanRefused)
    assert len(engine.asked) == 3


async def test_a_text_only_answer_to_pictures_is_a_plan_without_drawing() -> None:
    ref = STORE.put("in.png", b"png", width_px=1, height_px=1)
    engine = Says((reply(None, None),))
    _, end = await planned(engine, task(prompt="Describe <image>.", images=(ref,)))
    assert prompts(end) == [None, None]
    assert engine.asked[0].messages[-1].images == (b"png",)


async def test_marks_and_images_must_match_before_any_model_is_asked() -> None:
    engine = Says((reply("a"),))
    with pytest.raises(ImageMarksError):
        await planned(engine, task(prompt="Look at <image>."))
    assert engine.asked == []


async def test_a_lost_image_and_a_lost_engine_are_errors() -> None:
    ref = STORE.put("gone.png", b"png", width_px=1, height_px=1)
    STORE.delete("gone.png")
    with pytest.raises(ObjectMissingError):
        await planned(Says((reply("a"),)), task(images=(ref,)))
    with pytest.raises(ServiceUnavailableError):
        await planned(StopsInTheMiddle((reply("a"),)))


def _small_pack() -> PromptPack:
    scope = Scope(words="words.txt", example="Draw a red house.")
    words = frozenset({"draw", "a", "red", "house"})
    return PACK.model_copy(update={"scope": scope, "known_words": words})


def test_a_request_outside_the_packs_world_is_told_so_with_an_example() -> None:
    service = PlannerService(Says(("",)), _small_pack(), store=STORE)
    assert service.check(PlanCheck(prompt="Draw a red house")).ok
    refused = service.check(PlanCheck(prompt="Draw a quantum house"))
    assert (refused.ok, refused.code) == (False, "out_of_scope")
    assert '"quantum"' in refused.detail
    assert "Draw a red house." in refused.detail


def test_a_check_counts_images_and_their_marks() -> None:
    service = PlannerService(Says(("",)), PACK, store=STORE)
    assert service.check(PlanCheck(prompt="Go on from <image>.", image_count=1)).ok
    assert service.check(PlanCheck(prompt="Go on.", image_count=2)).ok
    wrong = service.check(PlanCheck(prompt="Go on from <image>.", image_count=2))
    assert (wrong.ok, wrong.code) == (False, "invalid_request")
    many = service.check(PlanCheck(prompt="Go on.", image_count=40))
    assert (many.ok, many.code) == (False, "too_large")
