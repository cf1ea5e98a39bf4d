"""What the API answers. Bodies of requests are in ``schemas``, the making in ``presenter``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.contracts.admission import Lane
from shared.contracts.generation import GeneratorInfo
from shared.contracts.plans import PlanStep
from shared.contracts.problems import Problem
from shared.contracts.profiles import Approval, Profile
from shared.contracts.trajectories import Status, StepStatus, Usage, WebhookTarget
from shared.contracts.webhooks import DeliveryStatus, DeliveryTry


class View(BaseModel):
    """An answer's model."""

    model_config = ConfigDict(frozen=True)


class ImageView(View):
    """An image; fetch `url` with the API key."""

    id: str
    url: Annotated[str, Field(examples=["/v1/files/pic_4f9Xc0a1B2c3D4e5F6g7H8i9_0_1"])]
    sha256: str
    width: int
    height: int
    size_bytes: int
    media_type: str


class VerdictView(View):
    """The critic's judgement."""

    success: bool
    reasoning: str
    refine_prompt: str
    model: str


class AttemptView(View):
    """One picture for a step, and what became of it."""

    number: int
    prompt: str
    seed: int
    image: ImageView | None
    verdict: VerdictView | None
    problem: Problem | None
    speculative: bool
    model: str


class StepView(View):
    """A step of the plan as it runs."""

    step_number: int
    step_name: str
    instruction: str | None
    prompt: str | None
    auxiliary_text: str | None
    text: str
    status: StepStatus
    chosen: Annotated[int | None, Field(description="Number of the attempt that counts.")]
    image: ImageView | None
    attempts: list[AttemptView]


class PartView(View):
    """One piece of the result, in reading order."""

    type: Literal["text", "image"]
    step: int
    text: str | None = None
    image: ImageView | None = None
    accepted: Annotated[
        bool | None, Field(description="Images: whether the critic passed it (or none was asked).")
    ] = None


class RequestView(View):
    """The request as it was understood, every default filled in."""

    prompt: str
    images: list[ImageView]
    generator: str
    profile: str
    settings: Profile
    steps: int | None
    max_steps: int
    width: int
    height: int
    seed: int
    approval: Approval
    deadline_s: float | None
    max_generator_calls: int
    webhook: WebhookTarget | None


class ForkView(View):
    """What this trajectory was forked from, and what it kept."""

    trajectory_id: str
    step: Annotated[int, Field(description="The `step_number` it begins with.")]
    kept_steps: int
    replanned: bool


class TrajectoryView(View):
    """A trajectory: state, plan, steps with every attempt and verdict, and the output."""

    id: str
    object: Literal["trajectory"] = "trajectory"
    status: Status
    final: bool
    created_at: AwareDatetime
    updated_at: AwareDatetime
    finished_at: AwareDatetime | None
    deadline_at: AwareDatetime | None
    priority: Lane
    forked_from: ForkView | None
    request: RequestView
    plan_complete: bool
    plan_revision: int
    steps: list[StepView]
    output: list[PartView]
    usage: Usage
    problem: Problem | None
    metadata: dict[str, str]
    sequence: Annotated[int, Field(description="Of the newest event.")]


class TrajectorySummary(View):
    """A trajectory in a list."""

    id: str
    object: Literal["trajectory.summary"] = "trajectory.summary"
    status: Status
    final: bool
    prompt: str
    generator: str
    profile: str
    created_at: AwareDatetime
    finished_at: AwareDatetime | None
    steps: int
    cover: ImageView | None
    metadata: dict[str, str]


class TrajectoryPage(View):
    """Newest first; pass `next_cursor` as `cursor` for the next page."""

    data: list[TrajectorySummary]
    next_cursor: str | None


class PlanView(View):
    """The plan as it stands."""

    trajectory_id: str
    status: Status
    complete: bool
    revision: int
    steps: list[PlanStep]


class EventView(View):
    """An event; `image` is there when it is about a picture."""

    sequence: int
    type: str
    trajectory_id: str
    at: AwareDatetime
    step: int | None
    attempt: int | None
    text: str | None
    success: bool | None
    image: ImageView | None
    plan_step: PlanStep | None
    problem: Problem | None


class GapView(View):
    """Some events are no longer kept: go on from this snapshot."""

    type: Literal["gap"] = "gap"
    sequence: int
    snapshot: TrajectoryView


class GeneratorView(View):
    """A generator that can be asked for; `info` is missing if it has never answered."""

    name: str
    available: bool
    default: bool
    info: GeneratorInfo | None


class ProfileView(View):
    """A profile and the settings it stands for."""

    name: str
    settings: Profile


class GeneratorList(View):
    """What can be asked for."""

    data: list[GeneratorView]
    profiles: list[ProfileView]


class DeliveryView(View):
    """A webhook delivery and how its tries went."""

    id: Annotated[str, Field(description="The `webhook-id`, the same on every try.")]
    trajectory_id: str
    sequence: int
    event: str
    url: str
    endpoint: Annotated[
        str | None, Field(description="Id of the webhook endpoint; none: the request named it.")
    ]
    status: DeliveryStatus
    created_at: AwareDatetime
    tries: list[DeliveryTry]


class DeliveryPage(View):
    """Newest first; pass `next_cursor` as `cursor` for the next page."""

    data: list[DeliveryView]
    next_cursor: str | None


class SigningSecret(View):
    """What webhook signatures are made with (Standard Webhooks)."""

    secret: Annotated[str, Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])]
