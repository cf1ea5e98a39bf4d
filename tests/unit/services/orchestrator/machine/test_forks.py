"""Forks: kept steps, a given or a new plan, and every way such a trajectory may go."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.orchestrator.carrying_out import carry_out
from services.orchestrator.ports import Engines
from shared.contracts.events import (
    CancelRequested,
    DeadlinePassed,
    PlanApproved,
    PlanArrived,
    PlanEdited,
    PlanStarted,
)
from shared.contracts.plans import Plan
from shared.contracts.profiles import Approval
from shared.contracts.trajectories import (
    ForkOrigin,
    PlanCommand,
    Status,
    StepStatus,
    Trajectory,
)
from tests.fakes.engines import JudgesByScript, RefusesPlans
from tests.trajectories import Driver, image, plan_of, profile, trajectory


def finished(*prompts: str | None) -> Trajectory:
    """A trajectory whose steps were all drawn at once."""
    driver = Driver(trajectory(profile("fast")))
    driver.plan(*prompts)
    for index, prompt in enumerate(prompts):
        if prompt is not None:
            driver.draw(f"generate-{index}-1")
    assert driver.state.status is Status.SUCCEEDED
    return driver.state


def fork(parent: Trajectory, index: int, plan: Plan | None, **fields: object) -> Driver:
    """A fork as the gateway makes it."""
    origin = ForkOrigin(
        trajectory_id=parent.id,
        step=index + 1,
        kept_steps=index,
        replanned=plan is None,
        sha256=image("kept").sha256,
    )
    changes = {
        "forked_from": origin,
        "steps": parent.steps[:index],
        "pending": (PlanCommand(id="plan", given=plan),),
    }
    first = trajectory(profile("fast"), **fields)  # type: ignore[arg-type]
    return Driver(first.model_copy(update=changes))


def test_a_fork_keeps_its_steps_and_draws_the_rest_from_the_last_kept_picture() -> None:
    parent = finished("a", None, "c")
    driver = fork(parent, 2, plan_of("a", None, "other"))
    driver.plan("a", None, "other")
    assert driver.state.steps[:2] == parent.steps[:2]
    assert driver.pending == ["generate-2-1"]
    attempt = driver.state.steps[2].attempts[0]
    assert (attempt.prompt, attempt.sources) == ("other", (image("generate-0-1"),))
    assert driver.draw("generate-2-1").status is Status.SUCCEEDED


def test_kept_steps_are_published_and_cost_nothing() -> None:
    driver = fork(finished("a", "b", "c"), 2, plan_of("a", "b", "c"))
    driver.plan("a", "b", "c")
    assert driver.kinds[:5] == [
        "trajectory.planning",
        "plan.step",
        "step.finished",
        "plan.step",
        "step.finished",
    ]
    usage = driver.draw("generate-2-1").usage
    assert (usage.planner_calls, usage.generator_calls) == (0, 1)


def test_a_replanned_fork_takes_only_the_rest_from_the_planner() -> None:
    driver = fork(finished("a", "b"), 1, None)
    driver.plan("x", "y", "z")
    assert [step.plan.prompt for step in driver.state.steps] == ["a", "y", "z"]
    assert driver.state.usage.planner_calls == 1


def test_a_new_plan_shorter_than_what_is_kept_is_refused() -> None:
    driver = fork(finished("a", "b", "c"), 2, None)
    assert driver.plan("x").status is Status.FAILED
    assert [step.status for step in driver.state.steps] == [StepStatus.ACCEPTED] * 2


def test_a_fork_that_awaits_approval_can_be_edited_behind_what_it_keeps() -> None:
    driver = fork(finished("a", "b"), 1, plan_of("a", "b"), approval=Approval.PLAN)
    assert driver.plan("a", "b").status is Status.AWAITING_APPROVAL
    driver.feed(PlanEdited(plan=plan_of("a", "new", "more"), revision=1))
    assert driver.state.steps[0].status is StepStatus.ACCEPTED
    driver.feed(PlanApproved())
    assert driver.pending == ["generate-1-1"]
    assert driver.state.steps[1].attempts[0].prompt == "new"


@pytest.mark.parametrize("planned", [False, True])
def test_a_deadline_before_the_first_new_picture_delivers_what_was_kept(*, planned: bool) -> None:
    driver = fork(finished("a", "b"), 1, plan_of("a", "b"), approval=Approval.PLAN, deadline_s=5)
    if planned:
        driver.plan("a", "b")
    driver.now += timedelta(seconds=6)
    assert driver.feed(DeadlinePassed()).status is Status.PARTIALLY_SUCCEEDED


def test_a_fork_is_cancelled_like_any_other() -> None:
    driver = fork(finished("a", "b"), 1, plan_of("a", "b"))
    assert driver.feed(CancelRequested()).status is Status.CANCELLED
    assert driver.pending == []


def test_a_given_plan_asks_no_planner() -> None:
    driver = fork(finished("a", "b"), 1, plan_of("a", "b"))
    engines = Engines(RefusesPlans(), JudgesByScript([]), generators={})
    (command,) = driver.state.pending
    happenings = list(carry_out(driver.state, command, engines, lambda: False))
    assert happenings == [
        PlanStarted(command_id="plan"),
        PlanArrived(command_id="plan", plan=plan_of("a", "b")),
    ]
