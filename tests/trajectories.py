"""Builders of trajectories, plans and answers for tests, and a driver of the pure machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.orchestrator.machine import advance
from shared.contracts.events import (
    CommandFailed,
    Happening,
    PictureArrived,
    PlanArrived,
    PlanStarted,
    PlanStepArrived,
    PublicEvent,
    VerdictArrived,
)
from shared.contracts.generation import Picture
from shared.contracts.images import ImageRef
from shared.contracts.plans import Plan, PlanStep
from shared.contracts.profiles import PROFILES, Approval, Profile
from shared.contracts.trajectories import (
    PlanCommand,
    Status,
    Trajectory,
    TrajectoryRequest,
    WebhookTarget,
)
from shared.contracts.verdicts import Verdict
from shared.errors import InterleaveError, ServiceUnavailableError

START = datetime(2026, 1, 1, tzinfo=UTC)
TRAJECTORY_ID = "trj_" + "a" * 24


def image(name: str) -> ImageRef:
    """A reference to a picture that need not exist."""
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    return ImageRef(
        bucket="b", key=f"k/{name}.png", sha256=sha256, size_bytes=1, width_px=64, height_px=64
    )


def plan_of(*prompts: str | None) -> Plan:
    """A plan with these prompts; None is a text-only step."""
    return Plan(
        steps=tuple(
            PlanStep(step_number=n, instruction=f"step {n}", prompt=prompt)
            for n, prompt in enumerate(prompts, start=1)
        )
    )


def profile(name: str = "default", **changes: object) -> Profile:
    """A named profile with some settings changed."""
    return PROFILES[name].model_copy(update=changes)


def trajectory(
    settings: Profile | None = None,
    *,
    trajectory_id: str = TRAJECTORY_ID,
    tenant: str = "ten_1",
    images: Sequence[ImageRef] = (),
    steps: int | None = None,
    max_steps: int = 20,
    approval: Approval = Approval.NONE,
    deadline_s: float | None = None,
    max_generator_calls: int = 100,
    webhook: WebhookTarget | None = None,
    seed: int = 7,
    at: datetime = START,
) -> Trajectory:
    """A trajectory as the gateway makes it."""
    request = TrajectoryRequest(
        prompt="a story",
        images=tuple(images),
        generator="sketchbook",
        profile="default",
        settings=settings or profile(),
        max_steps=max_steps,
        steps=steps,
        width_px=64,
        height_px=64,
        seed=seed,
        approval=approval,
        deadline_s=deadline_s,
        max_generator_calls=max_generator_calls,
        webhook=webhook,
    )
    return Trajectory(
        id=trajectory_id,
        tenant=tenant,
        request=request,
        created_at=at,
        updated_at=at,
        deadline_at=None if deadline_s is None else at + timedelta(seconds=deadline_s),
        pending=(PlanCommand(id="plan"),),
        sequence=1,
    )


def queued_event(state: Trajectory) -> PublicEvent:
    """The first event, which the gateway publishes."""
    return PublicEvent(
        sequence=1,
        type=f"trajectory.{Status.QUEUED}",
        trajectory_id=state.id,
        at=state.created_at,
    )


@dataclass(slots=True)
class Driver:
    """Feeds happenings to ``advance`` and remembers what came out."""

    state: Trajectory
    now: datetime = START
    events: list[PublicEvent] = field(default_factory=list[PublicEvent])

    def feed(self, happening: Happening) -> Trajectory:
        """Work one happening in."""
        step = advance(self.state, happening, now=self.now)
        self.state = step.state
        self.events += step.events
        return self.state

    def plan(self, *prompts: str | None) -> Trajectory:
        """The whole plan arrives at once."""
        self.feed(PlanStarted(command_id="plan"))
        return self.feed(PlanArrived(command_id="plan", plan=plan_of(*prompts)))

    def stream(self, index: int, prompt: str | None) -> Trajectory:
        """One step of the plan arrives."""
        step = PlanStep(step_number=index + 1, instruction=f"step {index + 1}", prompt=prompt)
        return self.feed(PlanStepArrived(command_id="plan", index=index, step=step))

    def draw(self, command_id: str, name: str | None = None) -> Trajectory:
        """A picture arrives; by default it is named after the command."""
        picture = Picture(image=image(name or command_id), model="m", model_version="1")
        return self.feed(PictureArrived(command_id=command_id, picture=picture))

    def judge(self, command_id: str, *, success: bool, refine: str = "better") -> Trajectory:
        """A verdict arrives."""
        verdict = Verdict(success=success, refine_prompt=refine, reasoning="because")
        return self.feed(VerdictArrived(command_id=command_id, verdict=verdict))

    def unreadable(self, command_id: str) -> Trajectory:
        """The critic answered rubbish."""
        return self.feed(VerdictArrived(command_id=command_id, verdict=None, detail="rubbish"))

    def fail(self, command_id: str, error: InterleaveError | None = None) -> Trajectory:
        """A command fails for good."""
        problem = (error or ServiceUnavailableError()).problem()
        return self.feed(CommandFailed(command_id=command_id, problem=problem))

    @property
    def pending(self) -> list[str]:
        """Ids of the pending commands."""
        return [command.id for command in self.state.pending]

    @property
    def kinds(self) -> list[str]:
        """Types of the events so far."""
        return [event.type for event in self.events]
