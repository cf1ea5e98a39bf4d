"""From a trajectory and a command to the task for a model service. Pure."""

from __future__ import annotations

from shared.contracts.generation import GenerateTask
from shared.contracts.plans import PlanTask
from shared.contracts.trajectories import CritiqueCommand, GenerateCommand, Trajectory
from shared.contracts.verdicts import VerdictTask
from shared.errors import InternalError
from shared.stores.keys import picture_key


def plan_task(state: Trajectory) -> PlanTask:
    """What the planner is asked."""
    request = state.request
    return PlanTask(
        trajectory_id=state.id,
        prompt=request.prompt,
        images=request.images,
        steps=request.steps,
        max_steps=request.max_steps,
        seed=request.seed,
    )


def generate_task(state: Trajectory, command: GenerateCommand) -> GenerateTask:
    """What the generator is asked for one attempt."""
    request = state.request
    attempt = state.steps[command.step].attempts[command.attempt - 1]
    key = picture_key(
        state.tenant,
        state.id,
        step=command.step,
        attempt=command.attempt,
        after=command.after,
    )
    return GenerateTask(
        trajectory_id=state.id,
        prompt=attempt.prompt,
        references=attempt.sources,
        width_px=request.width_px,
        height_px=request.height_px,
        seed=attempt.seed,
        output_key=key,
        owner="" if state.ticket is None else state.ticket.key,
        speculative=command.speculative,
    )


def verdict_task(state: Trajectory, command: CritiqueCommand) -> VerdictTask:
    """What the critic is asked about one attempt.

    Raises:
        InternalError: if the attempt has no picture, which the machine never lets happen.
    """
    step = state.steps[command.step]
    attempt = step.attempts[command.attempt - 1]
    if attempt.image is None:
        message = f"{command.id} judges an attempt without a picture"
        raise InternalError(message)
    return VerdictTask(
        trajectory_id=state.id,
        before=attempt.sources[-1] if attempt.sources else None,
        after=attempt.image,
        plan_prompt=step.plan.prompt or "",
        used_prompt=attempt.prompt,
        early=state.request.settings.early_verdict,
        seed=attempt.seed,
    )
