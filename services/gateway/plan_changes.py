"""A caller's say in a plan: edit, approve, redo a step. Validation here, effects elsewhere.

A caller's plan is held to the same rules as the planner's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.gateway.schemas import PlanBody, PlanStepBody, RetryBody
from services.gateway.service import Trajectories
from shared.contracts.events import PlanApproved, PlanEdited, StepRetryRequested
from shared.contracts.plans import Plan, PlanStep
from shared.contracts.problems import FieldProblem
from shared.contracts.trajectories import Status, StepStatus, Trajectory
from shared.errors import ConflictError, InvalidRequestError, NotFoundError


async def edit_plan(
    trajectories: Trajectories, tenant: str, trajectory_id: str, *, body: PlanBody
) -> Trajectory:
    """Replace the plan of a trajectory that awaits approval.

    Raises:
        ConflictError: it does not await approval, or another revision is newer.
        InvalidRequestError: the plan breaks a rule.
    """
    trajectory = await _awaiting(trajectories, tenant, trajectory_id)
    revision = trajectory.plan_revision if body.revision is None else body.revision
    if revision != trajectory.plan_revision:
        raise ConflictError(f"The plan's newest revision is {trajectory.plan_revision}.")
    _check_plan(body, trajectory)
    steps = tuple(PlanStep(**step.model_dump()) for step in body.steps)
    await trajectories.ask(trajectory, PlanEdited(plan=Plan(steps=steps), revision=revision + 1))
    return trajectory


async def approve_plan(trajectories: Trajectories, tenant: str, trajectory_id: str) -> Trajectory:
    """Let the pictures begin; ConflictError if it does not await approval."""
    trajectory = await _awaiting(trajectories, tenant, trajectory_id)
    await trajectories.ask(trajectory, PlanApproved())
    return trajectory


async def retry_step(
    trajectories: Trajectories, tenant: str, trajectory_id: str, *, number: int, body: RetryBody
) -> Trajectory:
    """Redo the step with this ``step_number`` and what follows.

    Raises:
        NotFoundError: there is no such step.
        ConflictError: it makes no picture, was not begun yet, or the budget is used up.
    """
    trajectory = await trajectories.load(tenant, trajectory_id)
    index = step_index(trajectory, number)
    _check_retry(trajectory, index, body)
    attempts = [a for a in trajectory.steps[index].attempts if not a.speculative]
    wish = StepRetryRequested(
        step=index, prompt=body.prompt, seed=body.seed, after_attempt=len(attempts)
    )
    await trajectories.ask(trajectory, wish)
    return trajectory


def step_index(trajectory: Trajectory, number: int) -> int:
    """Where the step with this ``step_number`` is; NotFoundError if nowhere."""
    for index, step in enumerate(trajectory.steps):
        if step.plan.step_number == number:
            return index
    raise NotFoundError("There is no such step.")


async def _awaiting(trajectories: Trajectories, tenant: str, trajectory_id: str) -> Trajectory:
    trajectory = await trajectories.load(tenant, trajectory_id)
    if trajectory.status is not Status.AWAITING_APPROVAL:
        raise ConflictError(f"It does not await approval: {trajectory.status.value}.")
    return trajectory


def _check_retry(trajectory: Trajectory, index: int, body: RetryBody) -> None:
    """The same conditions as the state machine's, so that the caller hears at once."""
    step, budget = trajectory.steps[index], trajectory.request.max_generator_calls
    if not step.plan.draws and body.prompt is None:
        raise ConflictError("This step is text only; give a prompt to make it a picture.")
    if not trajectory.plan_complete or trajectory.status is Status.AWAITING_APPROVAL:
        raise ConflictError("Its plan is not settled yet.")
    if step.status is StepStatus.WAITING or not _earlier_done(trajectory, index):
        raise ConflictError("This step has not been begun yet.")
    if trajectory.usage.generator_calls >= budget:
        raise ConflictError(f"All {budget} generator calls of this trajectory are used up.")


def _earlier_done(trajectory: Trajectory, index: int) -> bool:
    return all(step.status.done for step in trajectory.steps[:index])


def _check_plan(body: PlanBody, trajectory: Trajectory) -> None:
    request, count = trajectory.request, len(body.steps)
    if request.steps is not None and count != request.steps:
        raise invalid("/steps", f"The request asks for exactly {request.steps} steps.")
    if count > request.max_steps:
        raise invalid("/steps", f"At most {request.max_steps} steps.")
    first = trajectory.steps[0].plan.step_number if trajectory.steps else 1
    check_steps(body.steps, first=first)
    for index, (old, new) in enumerate(zip(trajectory.steps, body.steps, strict=False)):
        if old.status.done and PlanStep(**new.model_dump()) != old.plan:
            raise invalid(f"/steps/{index}", "This step is kept from the forked trajectory.")
    if any(step.status.done for step in trajectory.steps[count:]):
        raise invalid("/steps", "Steps that are done already cannot be left out.")


def check_steps(steps: Sequence[PlanStepBody], *, first: int) -> None:
    """Hold a caller's steps to the rules of every plan; ``first`` is the first one's number.

    Raises:
        InvalidRequestError: naming the step at fault.
    """
    for index, step in enumerate(steps):
        if step.step_number != first + index:
            wanted = f"Step numbers must run from {first} without gaps."
            raise invalid(f"/steps/{index}/step_number", wanted)
        if step.prompt is None and not (step.auxiliary_text or step.instruction):
            raise invalid(f"/steps/{index}", "A step without a prompt needs text.")


def invalid(pointer: str, detail: str) -> InvalidRequestError:
    """The error for one field of the body."""
    return InvalidRequestError(detail, errors=(FieldProblem(pointer=pointer, detail=detail),))
