"""The machine, sentence by sentence."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.orchestrator.machine import advance
from shared.contracts.events import (
    CancelRequested,
    DeadlinePassed,
    PlanApproved,
    PlanEdited,
    StepRetryRequested,
)
from shared.contracts.profiles import Approval, OnExhausted, References, Speculation
from shared.contracts.trajectories import Status, StepStatus
from shared.errors import PictureRefusedError, PlanUnusableError
from tests.trajectories import START, Driver, image, plan_of, profile, trajectory

CALM = profile(speculation=Speculation.OFF)


def test_a_plan_taken_up_is_planning() -> None:
    driver = Driver(trajectory())
    driver.stream(0, "a")
    assert driver.kinds[:3] == ["trajectory.planning", "plan.step", "trajectory.running"]


def test_the_first_step_is_drawn_while_later_ones_are_still_written() -> None:
    driver = Driver(trajectory(CALM))
    driver.stream(0, "draw a cat")
    assert driver.pending == ["plan", "generate-0-1"]
    driver.plan("draw a cat", "add a hat")
    assert driver.pending == ["generate-0-1"]


@pytest.mark.parametrize("limits", [{"approval": Approval.PLAN}, {"steps": 1}])
def test_nothing_is_drawn_before_a_plan_that_must_be_approved_or_exact(
    limits: dict[str, object],
) -> None:
    driver = Driver(trajectory(CALM, **limits))  # type: ignore[arg-type]
    driver.stream(0, "draw a cat")
    assert driver.pending == ["plan"]
    assert driver.state.status is Status.PLANNING


def test_the_final_plan_rewords_steps_that_have_not_started_only() -> None:
    driver = Driver(trajectory(CALM))
    driver.stream(0, "old one")
    driver.stream(1, "old two")
    driver.plan("new one", "new two", "three")
    prompts = [step.plan.prompt for step in driver.state.steps]
    assert prompts == ["old one", "new two", "three"]


def test_a_shorter_final_plan_cuts_steps_that_have_not_started() -> None:
    driver = Driver(trajectory(CALM))
    driver.stream(0, "one")
    driver.stream(1, "two")
    driver.plan("one")
    assert len(driver.state.steps) == 1


@pytest.mark.parametrize(
    ("limits", "prompts"), [({"max_steps": 1}, ("a", "b")), ({"steps": 3}, ("a", "b")), ({}, ())]
)
def test_a_plan_of_the_wrong_length_fails(limits: dict[str, int], prompts: tuple[str, ...]) -> None:
    driver = Driver(trajectory(CALM, **limits))  # type: ignore[arg-type]
    state = driver.plan(*prompts)
    assert state.status is Status.FAILED
    assert state.problem is not None
    assert state.problem.code == "plan_unusable"


def test_every_step_accepted_is_a_success() -> None:
    driver = Driver(trajectory(CALM))
    driver.plan("a", "b")
    driver.draw("generate-0-1")
    driver.judge("critique-0-1", success=True)
    assert driver.state.steps[1].attempts[0].sources == (image("generate-0-1"),)
    driver.draw("generate-1-1")
    driver.judge("critique-1-1", success=True)
    assert driver.state.status is Status.SUCCEEDED
    assert driver.state.finished_at == START
    assert [event.sequence for event in driver.events] == list(range(2, len(driver.events) + 2))


def test_a_refused_attempt_is_drawn_again_from_the_same_source_with_the_refined_prompt() -> None:
    driver = Driver(trajectory(CALM, images=[image("given")]))
    driver.plan("a")
    driver.draw("generate-0-1")
    driver.judge("critique-0-1", success=False, refine="a, brighter")
    first, second = driver.state.steps[0].attempts
    assert second.prompt == "a, brighter"
    assert second.sources == first.sources == (image("given"),)
    assert second.seed != first.seed
    assert driver.pending == ["generate-0-2"]


def test_the_paper_rule_gives_every_attempt_of_a_step_the_same_seed() -> None:
    driver = Driver(trajectory(profile("paper")))
    driver.plan("a", "b")
    driver.draw("generate-0-1")
    driver.judge("critique-0-1", success=True)
    driver.draw("generate-1-1")
    driver.judge("critique-1-1", success=False)
    assert [a.seed for a in driver.state.steps[1].attempts] == [1000, 1000]


def test_seeds_depend_on_trajectory_seed_step_and_attempt() -> None:
    seeds = set[int]()
    for seed in (1, 2):
        driver = Driver(trajectory(CALM, seed=seed))
        driver.plan("a")
        driver.draw("generate-0-1")
        driver.judge("critique-0-1", success=False)
        seeds |= {a.seed for a in driver.state.steps[0].attempts}
    assert len(seeds) == 4
    assert all(0 <= seed < 2**53 for seed in seeds)


def test_text_only_steps_make_no_call() -> None:
    driver = Driver(trajectory(CALM, images=[image("given")]))
    state = driver.plan(None, None)
    assert state.status is Status.SUCCEEDED
    assert [step.status for step in state.steps] == [StepStatus.TEXT, StepStatus.TEXT]
    assert state.usage.generator_calls == 0


def test_without_critic_the_first_picture_is_taken() -> None:
    driver = Driver(trajectory(profile("fast")))
    driver.plan("a")
    driver.draw("generate-0-1")
    assert driver.state.status is Status.SUCCEEDED
    assert driver.state.usage.critic_calls == 0


def _exhausted(rule: OnExhausted, *, attempts: int = 2) -> Driver:
    settings = profile(speculation=Speculation.OFF, on_exhausted=rule, max_attempts=attempts)
    driver = Driver(trajectory(settings))
    driver.plan("a")
    driver.draw("generate-0-1")
    driver.judge("critique-0-1", success=False)
    driver.draw("generate-0-2")
    driver.unreadable("critique-0-2")
    return driver


def test_keep_last_keeps_the_last_picture_and_says_it_was_not_accepted() -> None:
    driver = _exhausted(OnExhausted.KEEP_LAST)
    assert driver.state.steps[0].chosen == 2
    assert driver.state.steps[0].status is StepStatus.KEPT
    assert driver.state.status is Status.PARTIALLY_SUCCEEDED
    assert driver.state.problem is not None
    assert driver.state.problem.code == "step_not_accepted"


def test_keep_best_prefers_an_attempt_whose_verdict_could_be_read() -> None:
    assert _exhausted(OnExhausted.KEEP_BEST).state.steps[0].chosen == 1


def test_fail_keeps_nothing() -> None:
    driver = _exhausted(OnExhausted.FAIL)
    assert driver.state.status is Status.FAILED
    assert driver.state.steps[0].chosen is None
    assert driver.state.steps[0].status is StepStatus.FAILED


def test_the_last_attempt_is_not_judged_when_the_profile_says_so() -> None:
    driver = Driver(trajectory(profile(max_attempts=1, critic_on_last_attempt=False)))
    driver.plan("a")
    driver.draw("generate-0-1")
    assert driver.state.status is Status.PARTIALLY_SUCCEEDED
    assert driver.state.usage.critic_calls == 0


def test_an_unreadable_verdict_tries_the_same_prompt_again() -> None:
    driver = Driver(trajectory(CALM))
    driver.plan("a")
    driver.draw("generate-0-1")
    driver.unreadable("critique-0-1")
    assert driver.state.steps[0].attempts[1].prompt == "a"


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        (References.LAST, ["second"]),
        (References.ALL, ["given-1", "given-2", "first", "second"]),
        (References.FIRST_AND_LAST, ["given-1", "second"]),
    ],
)
def test_references_follow_the_rule_asked_for(rule: References, names: list[str]) -> None:
    settings = profile("fast", references=rule)
    driver = Driver(trajectory(settings, images=[image("given-1"), image("given-2")]))
    driver.plan("a", None, "b", "c")
    driver.draw("generate-0-1", "first")
    driver.draw("generate-2-1", "second")
    assert driver.state.steps[3].attempts[0].sources == tuple(image(name) for name in names)


def test_cancel_leaves_nothing_pending() -> None:
    driver = Driver(trajectory())
    driver.plan("a", "b")
    driver.draw("generate-0-1")
    state = driver.feed(CancelRequested())
    assert state.status is Status.CANCELLED
    assert state.pending == ()
    assert not any(attempt.speculative for step in state.steps for attempt in step.attempts)


def test_a_deadline_delivers_the_best_so_far() -> None:
    driver = Driver(trajectory(CALM, deadline_s=10))
    driver.plan("a", "b")
    driver.draw("generate-0-1")
    driver.feed(DeadlinePassed())
    assert driver.state.status is Status.RUNNING
    driver.now = START + timedelta(seconds=10)
    driver.feed(DeadlinePassed())
    assert driver.state.status is Status.PARTIALLY_SUCCEEDED
    assert driver.state.steps[0].status is StepStatus.KEPT
    assert driver.state.steps[0].image == image("generate-0-1")


def test_a_deadline_with_nothing_to_show_expires() -> None:
    driver = Driver(trajectory(CALM, deadline_s=10))
    driver.plan("a")
    driver.now = START + timedelta(seconds=11)
    assert driver.feed(DeadlinePassed()).status is Status.EXPIRED


def test_the_budget_ends_with_the_best_so_far() -> None:
    driver = Driver(trajectory(CALM, max_generator_calls=1))
    driver.plan("a", "b")
    driver.draw("generate-0-1")
    driver.judge("critique-0-1", success=True)
    assert driver.state.status is Status.PARTIALLY_SUCCEEDED
    assert driver.state.problem is not None
    assert driver.state.problem.code == "budget_exhausted"
    assert driver.state.usage.generator_calls == 1


def test_a_generator_that_fails_at_once_fails_the_trajectory() -> None:
    driver = Driver(trajectory(CALM))
    driver.plan("a")
    state = driver.fail("generate-0-1")
    assert state.status is Status.FAILED
    assert state.problem is not None
    assert state.problem.code == "service_unavailable"


def test_a_generator_that_fails_later_leaves_what_exists() -> None:
    driver = Driver(trajectory(CALM))
    driver.plan("a", "b")
    driver.draw("generate-0-1")
    driver.judge("critique-0-1", success=True)
    assert driver.fail("generate-1-1").status is Status.PARTIALLY_SUCCEEDED


def test_a_refused_picture_is_tried_again_with_another_seed() -> None:
    driver = Driver(trajectory(CALM))
    driver.plan("a")
    driver.fail("generate-0-1", PictureRefusedError())
    assert driver.pending == ["generate-0-2"]
    driver.fail("generate-0-2", PictureRefusedError())
    driver.fail("generate-0-3", PictureRefusedError())
    assert driver.state.status is Status.FAILED
    assert driver.state.problem is not None
    assert driver.state.problem.code == "picture_refused"


def test_a_critic_that_fails_leaves_the_picture_unaccepted() -> None:
    driver = Driver(trajectory(CALM))
    driver.plan("a")
    driver.draw("generate-0-1")
    state = driver.fail("critique-0-1")
    assert state.status is Status.PARTIALLY_SUCCEEDED
    assert state.steps[0].status is StepStatus.KEPT


def test_a_planner_that_fails_fails_the_trajectory_even_if_a_step_was_drawn() -> None:
    driver = Driver(trajectory(profile("fast")))
    driver.stream(0, "a")
    driver.draw("generate-0-1")
    assert driver.fail("plan", PlanUnusableError()).status is Status.FAILED


def test_a_plan_waits_for_approval_and_may_be_edited() -> None:
    driver = Driver(trajectory(CALM, approval=Approval.PLAN))
    driver.plan("a", "b")
    assert driver.state.status is Status.AWAITING_APPROVAL
    assert driver.pending == []
    driver.feed(PlanEdited(plan=plan_of("other"), revision=1))
    driver.feed(PlanEdited(plan=plan_of("late"), revision=1))
    assert [step.plan.prompt for step in driver.state.steps] == ["other"]
    driver.feed(PlanApproved())
    assert driver.pending == ["generate-0-1"]
    assert driver.feed(PlanEdited(plan=plan_of("x"), revision=2)).steps[0].plan.prompt == "other"


def _finished() -> Driver:
    driver = Driver(trajectory(profile("fast")))
    driver.plan("a", "b", None)
    driver.draw("generate-0-1")
    driver.draw("generate-1-1")
    assert driver.state.status is Status.SUCCEEDED
    return driver


def test_a_retried_step_and_what_follows_are_done_again() -> None:
    driver = _finished()
    retry = StepRetryRequested(step=0, prompt="a2", seed=5, after_attempt=1)
    driver.feed(retry)
    assert driver.pending == ["generate-0-2"]
    attempt = driver.state.steps[0].attempts[1]
    assert (attempt.prompt, attempt.seed) == ("a2", 5)
    before = driver.state
    assert driver.feed(retry) is before
    driver.draw("generate-0-2")
    assert driver.state.steps[1].attempts[1].sources == (image("generate-0-2"),)
    driver.draw("generate-1-2")
    assert driver.state.status is Status.SUCCEEDED
    assert [step.chosen for step in driver.state.steps] == [2, 2, None]


def test_a_late_picture_of_an_earlier_round_changes_nothing() -> None:
    driver = Driver(trajectory(CALM))
    driver.plan("a", "b")
    driver.draw("generate-0-1")
    driver.judge("critique-0-1", success=True)
    driver.feed(StepRetryRequested(step=0))
    before = driver.state
    assert driver.draw("generate-1-1") is before


@pytest.mark.parametrize(
    "retry",
    [
        StepRetryRequested(step=9),
        StepRetryRequested(step=2),
        StepRetryRequested(step=0, after_attempt=4),
    ],
)
def test_a_retry_that_does_not_fit_changes_nothing(retry: StepRetryRequested) -> None:
    driver = _finished()
    before = driver.state
    assert driver.feed(retry) is before


def test_unknown_late_and_doubled_happenings_change_nothing() -> None:
    driver = Driver(trajectory(CALM))
    driver.plan("a")
    driver.draw("generate-0-1")
    before = driver.state
    assert driver.draw("generate-0-1", "other") is before
    assert driver.draw("generate-7-1") is before
    assert driver.judge("generate-0-1", success=True) is before
    assert driver.feed(PlanApproved()) is before


def test_the_input_state_is_never_changed() -> None:
    state = trajectory()
    copy = state.model_copy(deep=True)
    advance(state, CancelRequested(), now=START)
    assert state == copy
