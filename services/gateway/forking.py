"""Forks: a new trajectory that keeps another one's steps before step n. Starts nothing itself.

The fork is a trajectory of its own: kept pictures are copied, so that deleting either leaves
the other whole; its budget, deadline and seed begin anew.
"""

from __future__ import annotations

import anyio

from services.gateway.manifest import kept_sha256
from services.gateway.parts import Parts
from services.gateway.plan_changes import check_steps, invalid, step_index
from services.gateway.schemas import ForkBody, TrajectoryBody, WebhookBody
from services.gateway.service import first_version
from shared.contracts.images import ImageRef
from shared.contracts.plans import Plan, PlanStep
from shared.contracts.trajectories import (
    Attempt,
    ForkOrigin,
    PlanCommand,
    StepState,
    Trajectory,
    TrajectoryRequest,
)
from shared.errors import ConflictError, NotFoundError
from shared.stores.images import ImageStore
from shared.stores.keys import file_id_of_key, trajectory_prefix


async def first_of_fork(
    parts: Parts, parent: Trajectory, body: ForkBody, *, fork_id: str, trace: dict[str, str]
) -> Trajectory:
    """The first version of a fork, its kept pictures copied.

    Raises:
        NotFoundError: there is no such step.
        ConflictError: what should be kept is not done, or the plan is not whole yet.
        InvalidRequestError: the new plan breaks a rule.
        RequestError: whatever else ``Admission.admit`` refuses.
    """
    index = _index(parent, body)
    _check_kept(parent, index)
    plan = None if body.replan else _plan(parent, index, body)
    request = await parts.admission.admit(parent.tenant, _as_body(parent.request, body))
    kept = parent.steps[:index]
    origin = ForkOrigin(
        trajectory_id=parent.id,
        step=body.step,
        kept_steps=index,
        replanned=body.replan,
        sha256=kept_sha256(parent, kept),
    )
    copied = await anyio.to_thread.run_sync(_copied, parts.images, parent, fork_id, kept)
    now = parts.trajectories.now()
    first = first_version(parent.tenant, fork_id, request, now=now, trace=trace)
    changes = {
        "forked_from": origin,
        "steps": copied,
        "pending": (PlanCommand(id="plan", given=plan),),
    }
    return first.model_copy(update=changes)


def _index(parent: Trajectory, body: ForkBody) -> int:
    """Where the fork begins: at a step, or right after the last one if the rest is new."""
    last = parent.steps[-1].plan.step_number if parent.steps else 0
    if body.step == last + 1 and parent.steps and (body.replan or body.steps):
        return len(parent.steps)
    return step_index(parent, body.step)


def _check_kept(parent: Trajectory, index: int) -> None:
    for step in parent.steps[:index]:
        if not step.status.done:
            raise ConflictError(f"Step {step.plan.step_number} is not done, so it cannot be kept.")


def _plan(parent: Trajectory, index: int, body: ForkBody) -> Plan:
    kept = [step.plan for step in parent.steps[:index]]
    if body.steps is not None:
        check_steps(body.steps, first=body.step)
        rest = [PlanStep(**step.model_dump()) for step in body.steps]
    else:
        rest = _unchanged_rest(parent, index, body.prompt)
    count, most = len(kept) + len(rest), parent.request.max_steps
    if count > most:
        raise invalid("/steps", f"With the kept ones it is {count} steps; at most {most}.")
    return Plan(steps=(*kept, *rest))


def _unchanged_rest(parent: Trajectory, index: int, prompt: str | None) -> list[PlanStep]:
    if not parent.plan_complete:
        raise ConflictError("Its plan is not whole yet; wait, or ask for `replan`.")
    rest = [step.plan for step in parent.steps[index:]]
    if not rest:
        raise NotFoundError("There is no such step.")
    if prompt is not None:
        rest[0] = rest[0].model_copy(update={"prompt": prompt})
    return rest


def _as_body(request: TrajectoryRequest, body: ForkBody) -> TrajectoryBody:
    """The fork as a request of its own: what is not given anew stays as it was."""
    named = request.settings if body.profile is None else None
    webhook = request.webhook and WebhookBody(
        url=request.webhook.url, events=list(request.webhook.events)
    )
    return TrajectoryBody(
        prompt=request.prompt,
        images=[file_id_of_key(ref.key) for ref in request.images],
        generator=body.generator or request.generator,
        profile=body.profile or request.profile,  # type: ignore[arg-type]
        max_steps=request.max_steps,
        steps=None if body.steps is not None else request.steps,
        max_attempts=body.max_attempts or (named and named.max_attempts),
        references=body.references or (named and named.references),
        on_exhausted=body.on_exhausted or (named and named.on_exhausted),
        speculation=body.speculation or (named and named.speculation),
        width=request.width_px,
        height=request.height_px,
        seed=body.seed,
        approval=body.approval or request.approval,
        deadline_s=body.deadline_s or request.deadline_s,
        max_generator_calls=body.max_generator_calls or request.max_generator_calls,
        webhook=body.webhook or webhook,
        metadata=request.metadata if body.metadata is None else body.metadata,
    )


def _copied(
    images: ImageStore, parent: Trajectory, fork_id: str, kept: tuple[StepState, ...]
) -> tuple[StepState, ...]:
    """The kept steps with pictures of their own; what was drawn ahead is left behind."""
    old = trajectory_prefix(parent.tenant, parent.id)
    new = trajectory_prefix(parent.tenant, fork_id)
    moved: dict[str, ImageRef] = {}

    def copy(ref: ImageRef) -> ImageRef:
        if ref.key not in moved and ref.key.startswith(old):
            key = new + ref.key.removeprefix(old)
            data = images.get(ref)
            moved[ref.key] = images.put(key, data, width_px=ref.width_px, height_px=ref.height_px)
        return moved.get(ref.key, ref)

    def copy_attempt(attempt: Attempt) -> Attempt:
        sources = tuple(copy(ref) for ref in attempt.sources)
        image = None if attempt.image is None else copy(attempt.image)
        return attempt.model_copy(update={"sources": sources, "image": image})

    return tuple(
        step.model_copy(
            update={"attempts": tuple(copy_attempt(a) for a in step.attempts if not a.speculative)}
        )
        for step in kept
    )
