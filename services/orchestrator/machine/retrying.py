"""Re-opening a step: it and everything after it are done again, earlier steps stay."""

from __future__ import annotations

from datetime import timedelta

from services.orchestrator.machine import ending
from services.orchestrator.machine.draft import Draft
from services.orchestrator.machine.drawing import calls_left, draw
from shared.contracts.events import StepRetryRequested
from shared.contracts.trajectories import PlanCommand, Status, StepStatus, Trajectory


def retry_step(draft: Draft, happening: StepRetryRequested) -> None:
    """Start a new round of attempts for a step; old attempts stay in the record."""
    if not _possible(draft.state, happening):
        return
    index = happening.step
    for later in range(index, len(draft.state.steps)):
        ending.forget_speculation(draft, later)
    draft.drop(lambda command: not isinstance(command, PlanCommand))
    for later in range(index, len(draft.state.steps)):
        _reopen(draft, later)
    _run_again(draft)
    _start(draft, happening)


def _possible(state: Trajectory, happening: StepRetryRequested) -> bool:
    index = happening.step
    if not state.plan_complete or not 0 <= index < len(state.steps):
        return False
    if state.status is Status.AWAITING_APPROVAL or calls_left(state) < 1:
        return False
    step = state.steps[index]
    already = [a for a in step.attempts if not a.speculative]
    if happening.after_attempt is not None and happening.after_attempt != len(already):
        return False
    draws = step.plan.draws or happening.prompt is not None
    reached = all(earlier.status.done for earlier in state.steps[:index])
    return draws and reached and step.status is not StepStatus.WAITING


def _reopen(draft: Draft, index: int) -> None:
    first = len(draft.state.steps[index].attempts) + 1
    draft.change_step(index, status=StepStatus.WAITING, chosen=None, first_attempt=first)


def _run_again(draft: Draft) -> None:
    state = draft.state
    if state.request.deadline_s is not None:
        draft.change(deadline_at=draft.now + timedelta(seconds=state.request.deadline_s))
    draft.change(finished_at=None, problem=None)
    draft.move_to(Status.RUNNING)


def _start(draft: Draft, happening: StepRetryRequested) -> None:
    index = happening.step
    plan = draft.state.steps[index].plan
    prompt = happening.prompt or plan.prompt or ""
    if prompt != plan.prompt:
        # The critic judges against the plan's prompt, so the caller's words replace it.
        draft.change_step(index, plan=plan.model_copy(update={"prompt": prompt}))
        draft.change(plan_revision=draft.state.plan_revision + 1)
    step = draft.state.steps[index]
    draft.emit("step.started", step, text=step.plan.text)
    draw(draft, index, prompt, seed=happening.seed)
