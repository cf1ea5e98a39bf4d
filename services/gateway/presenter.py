"""Turns records into the API's views. No I/O; the models are in ``views``."""

from __future__ import annotations

from services.gateway.views import (
    AttemptView,
    DeliveryView,
    EventView,
    ForkView,
    ImageView,
    PartView,
    PlanView,
    RequestView,
    StepView,
    TrajectorySummary,
    TrajectoryView,
    VerdictView,
)
from shared.contracts.admission import Lane
from shared.contracts.events import PublicEvent
from shared.contracts.images import ImageRef
from shared.contracts.trajectories import (
    Attempt,
    ForkOrigin,
    StepState,
    StepStatus,
    Trajectory,
)
from shared.contracts.webhooks import Delivery
from shared.stores.keys import file_id_of_key


def image_view(ref: ImageRef) -> ImageView:
    """How callers see a stored image."""
    file_id = file_id_of_key(ref.key)
    return ImageView(
        id=file_id,
        url=f"/v1/files/{file_id}",
        sha256=ref.sha256,
        width=ref.width_px,
        height=ref.height_px,
        size_bytes=ref.size_bytes,
        media_type=ref.media_type,
    )


def _maybe_image(ref: ImageRef | None) -> ImageView | None:
    return None if ref is None else image_view(ref)


def _attempt_view(attempt: Attempt) -> AttemptView:
    verdict = attempt.verdict
    return AttemptView(
        number=attempt.number,
        prompt=attempt.prompt,
        seed=attempt.seed,
        image=_maybe_image(attempt.image),
        verdict=None
        if verdict is None
        else VerdictView(
            success=verdict.success,
            reasoning=verdict.reasoning,
            refine_prompt=verdict.refine_prompt,
            model=verdict.model,
        ),
        problem=attempt.problem,
        speculative=attempt.speculative,
        model=attempt.model,
    )


def _step_view(step: StepState) -> StepView:
    return StepView(
        step_number=step.plan.step_number,
        step_name=step.plan.step_name,
        instruction=step.plan.instruction,
        prompt=step.plan.prompt,
        auxiliary_text=step.plan.auxiliary_text,
        text=step.plan.text,
        status=step.status,
        chosen=step.chosen,
        image=_maybe_image(step.image),
        attempts=[_attempt_view(attempt) for attempt in step.attempts],
    )


def output_parts(trajectory: Trajectory) -> list[PartView]:
    """The result so far in reading order: each finished step's text, then its picture."""
    parts: list[PartView] = []
    for step in trajectory.steps:
        number, image = step.plan.step_number, step.image
        if not step.status.done and image is None:
            continue
        if step.plan.text:
            parts.append(PartView(type="text", step=number, text=step.plan.text))
        if image is not None:
            accepted = step.status is StepStatus.ACCEPTED
            parts.append(
                PartView(type="image", step=number, image=image_view(image), accepted=accepted)
            )
    return parts


def _request_view(trajectory: Trajectory) -> RequestView:
    request = trajectory.request
    return RequestView(
        prompt=request.prompt,
        images=[image_view(ref) for ref in request.images],
        generator=request.generator,
        profile=request.profile,
        settings=request.settings,
        steps=request.steps,
        max_steps=request.max_steps,
        width=request.width_px,
        height=request.height_px,
        seed=request.seed,
        approval=request.approval,
        deadline_s=request.deadline_s,
        max_generator_calls=request.max_generator_calls,
        webhook=request.webhook,
    )


def _fork_view(origin: ForkOrigin | None) -> ForkView | None:
    if origin is None:
        return None
    return ForkView(**origin.model_dump(exclude={"sha256"}))


def trajectory_view(trajectory: Trajectory) -> TrajectoryView:
    """The whole public view."""
    return TrajectoryView(
        id=trajectory.id,
        status=trajectory.status,
        final=trajectory.status.final,
        created_at=trajectory.created_at,
        updated_at=trajectory.updated_at,
        finished_at=trajectory.finished_at,
        deadline_at=trajectory.deadline_at,
        priority=trajectory.ticket.lane if trajectory.ticket else Lane.INTERACTIVE,
        forked_from=_fork_view(trajectory.forked_from),
        request=_request_view(trajectory),
        plan_complete=trajectory.plan_complete,
        plan_revision=trajectory.plan_revision,
        steps=[_step_view(step) for step in trajectory.steps],
        output=output_parts(trajectory),
        usage=trajectory.usage,
        problem=trajectory.problem,
        metadata=trajectory.request.metadata,
        sequence=trajectory.sequence,
    )


def summary_view(trajectory: Trajectory) -> TrajectorySummary:
    """A line of a list; its cover is the newest finished picture."""
    images = [step.image for step in trajectory.steps if step.image is not None]
    return TrajectorySummary(
        id=trajectory.id,
        status=trajectory.status,
        final=trajectory.status.final,
        prompt=trajectory.request.prompt,
        generator=trajectory.request.generator,
        profile=trajectory.request.profile,
        created_at=trajectory.created_at,
        finished_at=trajectory.finished_at,
        steps=len(trajectory.steps),
        cover=_maybe_image(images[-1] if images else None),
        metadata=trajectory.request.metadata,
    )


def plan_view(trajectory: Trajectory) -> PlanView:
    """The plan as it stands."""
    return PlanView(
        trajectory_id=trajectory.id,
        status=trajectory.status,
        complete=trajectory.plan_complete,
        revision=trajectory.plan_revision,
        steps=[step.plan for step in trajectory.steps],
    )


def event_view(event: PublicEvent, trajectory: Trajectory | None) -> EventView:
    """An event; the picture it names is looked up in ``trajectory``."""
    return EventView(
        sequence=event.sequence,
        type=event.type,
        trajectory_id=event.trajectory_id,
        at=event.at,
        step=event.step,
        attempt=event.attempt,
        text=event.text,
        success=event.success,
        image=_maybe_image(_image_of(event, trajectory)),
        plan_step=event.plan_step,
        problem=event.problem,
    )


def delivery_view(delivery: Delivery) -> DeliveryView:
    """A webhook delivery without its body."""
    return DeliveryView(
        id=delivery.id,
        trajectory_id=delivery.trajectory_id,
        sequence=delivery.sequence,
        event=delivery.event,
        url=delivery.url,
        endpoint=delivery.endpoint,
        status=delivery.status,
        created_at=delivery.created_at,
        tries=list(delivery.tries),
    )


def _image_of(event: PublicEvent, trajectory: Trajectory | None) -> ImageRef | None:
    if event.image_sha256 is None or trajectory is None:
        return None
    images = (
        attempt.image
        for step in trajectory.steps
        if step.plan.step_number == event.step
        for attempt in step.attempts
    )
    return next((i for i in images if i is not None and i.sha256 == event.image_sha256), None)
