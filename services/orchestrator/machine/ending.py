"""Every way a step or a trajectory ends."""

from __future__ import annotations

from services.orchestrator.machine.choosing import best_attempt
from services.orchestrator.machine.draft import Draft
from services.orchestrator.machine.problems import DEADLINE, NOT_ACCEPTED
from shared.contracts.problems import Problem
from shared.contracts.trajectories import GenerateCommand, Status, StepState, StepStatus

_UNFINISHED = frozenset({StepStatus.DRAWING, StepStatus.JUDGING})


def finish_step(draft: Draft, index: int, status: StepStatus, *, chosen: int | None = None) -> None:
    """Close a step and publish its text and picture."""
    draft.change_step(index, status=status, chosen=chosen)
    _announce(draft, draft.state.steps[index])


def announce_kept(draft: Draft, step: StepState) -> None:
    """Publish a step that a fork has from the trajectory before it."""
    draft.emit("plan.step", step, plan_step=step.plan)
    _announce(draft, step)


def _announce(draft: Draft, step: StepState) -> None:
    draft.emit(
        "step.finished",
        step,
        attempt=step.chosen,
        text=step.plan.text,
        success=step.status in {StepStatus.ACCEPTED, StepStatus.TEXT},
        image_sha256=None if step.image is None else step.image.sha256,
    )


def complete(draft: Draft) -> None:
    """Every step is done: a success, unless one was only kept."""
    kept = any(step.status is StepStatus.KEPT for step in draft.state.steps)
    if kept:
        finish(draft, Status.PARTIALLY_SUCCEEDED, NOT_ACCEPTED)
    else:
        finish(draft, Status.SUCCEEDED)


def end_early(draft: Draft, problem: Problem, *, empty: Status = Status.FAILED) -> None:
    """Stop with the best so far; ``empty`` is the status when there is nothing to show."""
    _keep_unfinished(draft)
    something = any(step.status.done for step in draft.state.steps)
    finish(draft, Status.PARTIALLY_SUCCEEDED if something else empty, problem)


def pass_deadline(draft: Draft) -> None:
    """Time is up; before its time (or without a deadline) this changes nothing."""
    deadline_at = draft.state.deadline_at
    if deadline_at is not None and draft.now >= deadline_at:
        end_early(draft, DEADLINE, empty=Status.EXPIRED)


def finish(draft: Draft, status: Status, problem: Problem | None = None) -> None:
    """Enter a final status: nothing is pending any more."""
    for index, step in enumerate(draft.state.steps):
        forget_speculation(draft, index)
        if step.status in _UNFINISHED:
            finish_step(draft, index, StepStatus.FAILED)
    draft.drop(lambda _: True)
    draft.change(finished_at=draft.now, problem=problem)
    draft.move_to(status, problem)


def forget_speculation(draft: Draft, index: int) -> None:
    """Take back an attempt of this step that was drawn ahead."""
    attempts = draft.state.steps[index].attempts
    if not attempts or not attempts[-1].speculative:
        return
    draft.change_step(index, attempts=attempts[:-1])
    draft.count(discarded_calls=1)
    draft.drop(lambda c: isinstance(c, GenerateCommand) and c.speculative and c.step == index)


def _keep_unfinished(draft: Draft) -> None:
    rule = draft.state.request.settings.on_exhausted
    for index, step in enumerate(draft.state.steps):
        if step.status not in _UNFINISHED:
            continue
        if (best := best_attempt(step, rule)) is not None:
            finish_step(draft, index, StepStatus.KEPT, chosen=best.number)
