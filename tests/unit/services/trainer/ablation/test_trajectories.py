from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from services.orchestrator.machine.drawing import attempt_seed as orchestrators_seed
from services.trainer.ablation.agents import Judged
from services.trainer.ablation.exact import ExactCritic
from services.trainer.ablation.staged import stage_cases
from services.trainer.ablation.trajectories import Attempt, Crew, alone, attempt_seed, best, run
from services.trainer.data.drawn import read_cases
from services.trainer.sketchbook.agents.data import shown
from services.trainer.sketchbook.language import outcomes_of
from services.trainer.sketchbook.requests import SketchRequest, Use, sample_request
from services.trainer.sketchbook.settling import carry_out
from services.trainer.sketchbook.wording import Split
from services.trainer.sketchbook.world import Background, Item, Place, Scene
from shared.contracts.profiles import PROFILES
from shared.contracts.trajectories import TrajectoryRequest
from shared.prompts.critic import VerdictDraft
from tests.fakes.crews import DrawsExactly, JudgesExactly, PlansByHeart, PlansNothing

_BLANK = np.zeros((128, 128, 3), np.uint8)


def _request(use: Use, seed: int = 0) -> SketchRequest:
    return sample_request(Random(f"{use}{seed}"), Split.TRAIN, use=use, implicit=False)


@pytest.mark.parametrize("use", list(Use))
def test_exact_helpers_fulfil_every_use(use: Use) -> None:
    crew = Crew(PlansByHeart(), JudgesExactly(), DrawsExactly())
    requests = [_request(use, n) for n in range(5)]

    courses = run(crew, requests, range(5))

    assert all(course.reached() for course in courses)
    assert [course.calls for course in courses] == [len(r.prompts) for r in requests]


def test_a_failed_picture_is_drawn_again_from_the_same_source_with_another_seed() -> None:
    request = _request(Use.CONTINUATION)
    studio = DrawsExactly(fails_on=request.prompts[0])

    course = run(Crew(PlansByHeart(), JudgesExactly(), studio, 3), [request], [7])[0]

    first, second, third = studio.orders[:3]
    assert first.source is not None
    assert second.source is not None
    assert third.source is not None
    assert (first.source == second.source).all()
    assert (first.source == third.source).all()
    assert [first.prompt, second.prompt] == [request.prompts[0], f"{request.prompts[0]} better"]
    assert [order.seed for order in studio.orders[:3]] == [attempt_seed(7, 0, n) for n in (1, 2, 3)]
    assert not course.reached()


def test_without_a_critic_every_first_picture_counts() -> None:
    request = _request(Use.NARRATIVE)

    course = run(Crew(PlansByHeart(), None, DrawsExactly()), [request], [0])[0]

    assert course.calls == len(request.prompts)
    assert course.reached()


def test_one_attempt_is_all_that_t_1_allows() -> None:
    request = _request(Use.CONTINUATION)
    crew = Crew(PlansByHeart(), JudgesExactly(), DrawsExactly(fails_on=request.prompts[0]), 1)

    assert run(crew, [request], [0])[0].calls == len(request.prompts)


def test_an_unreadable_verdict_draws_the_same_prompt_again() -> None:
    request = _request(Use.CONTINUATION)
    studio = DrawsExactly()

    run(Crew(PlansByHeart(), JudgesExactly(rewrites=False), studio, 2), [request], [0])

    assert studio.orders[0].prompt == studio.orders[1].prompt
    assert studio.orders[0].seed != studio.orders[1].seed


def test_a_request_without_a_plan_is_not_fulfilled() -> None:
    course = run(Crew(PlansNothing(), None, DrawsExactly()), [_request(Use.NARRATIVE)], [0])[0]

    assert course.calls == 0
    assert not course.reached()


def test_the_generator_alone_gets_the_request_for_every_picture() -> None:
    request = _request(Use.CONTINUATION)

    plan = alone(request)

    assert len(plan) == len(request.prompts)
    assert {step.prompt for step in plan} == {
        " ".join(request.text.replace("<image>", " ").split())
    }


def test_kept_is_what_was_passed_then_what_was_judged_then_the_last() -> None:
    passed = Attempt("a", _BLANK, VerdictDraft(previous_step_success=True, refine_prompt="a"))
    refused = Attempt("b", _BLANK, VerdictDraft(previous_step_success=False, refine_prompt="c"))
    unread = Attempt("d", _BLANK)

    assert best([passed, refused, unread]) is passed
    assert best([refused, unread]) is refused
    assert best([unread]) is unread


def test_the_exact_critic_passes_what_is_right_and_settles_what_a_prompt_leaves_open() -> None:
    flower = Item("flower", colour="red", stage=1)
    before = Scene.of(Background("meadow", "day"), {Place(3, 1): flower})
    grown, kept = shown(carry_out(before, "let the flower grow")), shown(before)
    asked = [Judged("let the flower grow", "u", kept, after) for after in (grown, kept)]

    right, wrong = ExactCritic().verdicts(asked)

    assert right == VerdictDraft(previous_step_success=True, refine_prompt="u")
    assert wrong is not None
    assert not wrong.previous_step_success
    assert outcomes_of(before, wrong.refine_prompt) == outcomes_of(before, "let the flower grow")
    assert ExactCritic().verdicts([Judged("bake a cake", "u", kept, grown)]) == [None]


def test_seeds_are_the_orchestrators() -> None:
    request = TrajectoryRequest(
        prompt="draw", generator="g", profile="default", settings=PROFILES["default"],
        width_px=128, height_px=128, seed=42,
    )  # fmt: skip

    assert [attempt_seed(42, index, 2) for index in range(3)] == [
        orchestrators_seed(request, index, 2) for index in range(3)
    ]


def test_staged_cases_are_the_steps_of_trajectories_with_their_second_attempts(
    tmp_path: Path,
) -> None:
    done: list[int] = []

    for _ in range(2):
        stage_cases(
            PlansByHeart(), lambda: DrawsExactly(fails_on="add"), tmp_path, Split.TRAIN,
            requests=64, seed=1, on_file=done.append,
        )  # fmt: skip

    cases = list(read_cases(tmp_path))
    assert done == [64, 64]
    assert {case.success for case in cases} == {True, False}
    assert all("add" in case.used for case in cases if not case.success)
    assert any(case.used != case.prompt for case in cases)
