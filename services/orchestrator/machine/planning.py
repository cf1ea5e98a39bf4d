"""Facts about the plan: steps as they are written, the whole plan, edits and approval."""

from __future__ import annotations

from services.orchestrator.machine import ending
from services.orchestrator.machine.draft import Draft
from services.orchestrator.machine.problems import unusable_plan
from shared.contracts.events import (
    CommandFailed,
    PlanApproved,
    PlanArrived,
    PlanEdited,
    PlanStarted,
    PlanStepArrived,
)
from shared.contracts.plans import Plan, PlanStep
from shared.contracts.profiles import Approval
from shared.contracts.trajectories import (
    Status,
    StepState,
    StepStatus,
    Trajectory,
    TrajectoryRequest,
)


def draws_while_planning(request: TrajectoryRequest) -> bool:
    """Whether a step may start before the plan is whole.

    Not when the caller approves the plan first, nor with an exact number of steps: a plan of
    another length is thrown away as a whole.
    """
    return request.approval is Approval.NONE and request.steps is None


def record_start(draft: Draft, _: PlanStarted) -> None:
    """A worker took up the plan."""
    _leave_queue(draft)


def record_step(draft: Draft, happening: PlanStepArrived) -> None:
    """Note the next step of the plan, or a new wording of one that has not started."""
    state, index = draft.state, happening.index
    if index > len(state.steps) or index >= state.request.max_steps:
        return
    _leave_queue(draft)
    _put_step(draft, index, happening.step)
    if draws_while_planning(state.request):
        draft.move_to(Status.RUNNING)


def record_plan(draft: Draft, happening: PlanArrived) -> None:
    """The plan is whole: it decides about every step that has not started."""
    state, plan = draft.state, happening.plan
    _leave_queue(draft)
    if (complaint := _complaint(state, plan)) is not None:
        ending.finish(draft, Status.FAILED, unusable_plan(complaint))
        return
    for index, step in enumerate(plan.steps):
        _put_step(draft, index, step)
    _cut(draft, len(plan.steps))
    draft.change(
        plan_complete=True,
        planner_model=happening.model,
        planner_version=happening.model_version,
    )
    draft.emit("plan.completed")
    approve = state.request.approval is Approval.PLAN
    draft.move_to(Status.AWAITING_APPROVAL if approve else Status.RUNNING)


def record_failure(draft: Draft, happening: CommandFailed) -> None:
    """No plan, no result: what was drawn from its beginning does not count."""
    ending.finish(draft, Status.FAILED, happening.problem)


def record_edit(draft: Draft, happening: PlanEdited) -> None:
    """Replace the plan that awaits approval."""
    state = draft.state
    if (
        state.status is not Status.AWAITING_APPROVAL
        or happening.revision != state.plan_revision + 1
        or not happening.plan.steps
    ):
        return
    # A fork's kept steps are done before its plan is approved: an edit is about the rest.
    kept = tuple(step for step in state.steps if step.status.done)
    draft.change(plan_revision=happening.revision, steps=kept)
    for index, step in enumerate(happening.plan.steps):
        _put_step(draft, index, step)
    draft.emit("plan.completed")


def record_approval(draft: Draft, _: PlanApproved) -> None:
    """The plan may be carried out."""
    if draft.state.status is Status.AWAITING_APPROVAL:
        draft.move_to(Status.RUNNING)


def _leave_queue(draft: Draft) -> None:
    # PlanStarted may have been lost on the way; a step proves that planning began.
    if draft.state.status is not Status.QUEUED:
        return
    origin = draft.state.forked_from
    if origin is None or origin.replanned:
        draft.count(planner_calls=1)
    draft.move_to(Status.PLANNING)
    for step in draft.state.steps:
        ending.announce_kept(draft, step)


def _put_step(draft: Draft, index: int, plan_step: PlanStep) -> None:
    steps = draft.state.steps
    if index < len(steps):
        old = steps[index]
        if old.plan == plan_step or old.status is not StepStatus.WAITING:
            return
        draft.change_step(index, plan=plan_step)
        ending.forget_speculation(draft, index)
    else:
        draft.change(steps=(*steps, StepState(plan=plan_step)))
    draft.emit("plan.step", draft.state.steps[index], plan_step=plan_step)


def _cut(draft: Draft, length: int) -> None:
    """Forget steps beyond the plan that have not started."""
    while len(draft.state.steps) > length:
        if draft.state.steps[-1].status is not StepStatus.WAITING:
            return
        ending.forget_speculation(draft, len(draft.state.steps) - 1)
        draft.change(steps=draft.state.steps[:-1])


def _complaint(state: Trajectory, plan: Plan) -> str | None:
    count, request = len(plan.steps), state.request
    if not count:
        return "The plan has no steps."
    if count < len(state.steps) and state.steps[count].status.done:
        return f"The plan has {count} steps, fewer than are done already."
    if count > request.max_steps:
        return f"The plan has {count} steps, more than max_steps = {request.max_steps}."
    if request.steps is not None and count != request.steps:
        return f"The plan has {count} steps instead of {request.steps}."
    return None
