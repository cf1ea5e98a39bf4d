from __future__ import annotations

from random import Random

import pytest

from services.trainer.data.teacher import ErrorRates, SketchbookTeacher
from services.trainer.data.world import png, world_request
from services.trainer.sketchbook.failures import wrong_outcome
from services.trainer.sketchbook.language import outcomes_of
from services.trainer.sketchbook.samples import generator_sample
from services.trainer.sketchbook.wording import Split
from shared.errors import InvalidRequestError
from shared.prompts.critic import parse_verdict
from shared.prompts.pack import load_pack
from shared.prompts.planner import parse_plan
from shared.prompts.rendering import render_plan_messages, render_verdict_messages

PACK = load_pack("sketchbook")
REQUEST = next(
    request for request in map(world_request, range(50)) if request.images and request.prompts
)


def _asked(teacher: SketchbookTeacher) -> str:
    images = [png(scene) for scene in REQUEST.images]
    return teacher.answer(render_plan_messages(PACK, REQUEST.text, images))


def test_the_planner_knows_the_exact_plan() -> None:
    steps = parse_plan(_asked(SketchbookTeacher([REQUEST], ErrorRates())))

    assert tuple(s.prompt for s in steps if s.prompt) == REQUEST.prompts
    assert steps[0].step_number == len(REQUEST.images) + 1


def test_a_planner_that_errs_leaves_out_a_step() -> None:
    steps = parse_plan(_asked(SketchbookTeacher([REQUEST], ErrorRates(planner=1.0))))

    assert len(steps) == max(1, len(REQUEST.plan) - 1)
    assert steps[0].step_number == len(REQUEST.images) + 1


def test_a_request_that_was_not_given_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        _asked(SketchbookTeacher([], ErrorRates()))


@pytest.mark.parametrize("error_rate", [0.0, 1.0])
def test_verdicts_are_exact_or_the_opposite(error_rate: float) -> None:
    teacher = SketchbookTeacher([], ErrorRates(critic=error_rate))
    rng = Random(3)
    for good in (True, False) * 3:
        sample = generator_sample(rng, Split.TRAIN)
        while sample.before is None:
            sample = generator_sample(rng, Split.TRAIN)
        right = outcomes_of(sample.before, sample.prompt)[0]
        after = right if good else wrong_outcome(sample.before, sample.prompt, rng)
        messages = render_verdict_messages(
            PACK, sample.prompt, sample.prompt, before=png(sample.before), after=png(after)
        )

        said = parse_verdict(teacher.answer(messages))

        assert said.previous_step_success == (good == (error_rate == 0.0))
        assert teacher.answer(messages) == teacher.answer(messages)
