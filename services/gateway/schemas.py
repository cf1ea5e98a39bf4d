"""Bodies of public requests. Answers are in ``views``.

Both are the API's own, separate from ``shared.contracts``, so that internals can change
without breaking callers.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)

from shared.contracts.admission import Lane
from shared.contracts.profiles import Approval, OnExhausted, References, Speculation

MAX_STEPS = 50
MAX_SEED = 2**63 - 1

Prompt = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=16_000)]
ImageSource = Annotated[
    str,
    Field(
        min_length=4,
        description="Upload id (`up_...`), file id (`pic_...`), `data:image/...;base64,...`"
        " or an https URL.",
    ),
]
GeneratorName = Annotated[str, Field(max_length=100, description="See GET /v1/generators.")]
ProfileName = Literal["default", "paper", "fast", "strict"]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]


def _no_other_kind(value: object) -> object:
    """JSON's true is no number, nor is a text of digits."""
    if isinstance(value, bool | str):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic wants a ValueError
    return value


Whole = Annotated[int, BeforeValidator(_no_other_kind)]
Number = Annotated[float, BeforeValidator(_no_other_kind)]


class Body(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WebhookBody(Body):
    """Where to send signed events of this trajectory."""

    url: Annotated[str, Field(max_length=2048, examples=["https://example.com/hooks/interleave"])]
    events: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[a-z_.]{1,64}$")]],
        Field(max_length=32, description="Event types; empty: every final state."),
    ] = []


class TrajectoryBody(Body):
    """A sequence of text and pictures to be planned, drawn and judged."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"prompt": "Tell in four pictures how a seed becomes a flower."},
                {
                    "prompt": "Continue these pictures: <image> <image>",
                    "images": ["up_" + "0" * 64, "https://example.com/second.png"],
                    "steps": 3,
                    "profile": "strict",
                    "seed": 7,
                },
            ]
        }
    )

    prompt: Annotated[
        Prompt, Field(description="What is wanted; `<image>` marks where each image belongs.")
    ]
    images: Annotated[list[ImageSource], Field(max_length=64)] = []
    generator: GeneratorName | None = None
    profile: ProfileName = "default"
    max_steps: Annotated[Whole, Field(ge=1, le=MAX_STEPS)] = 20
    steps: Annotated[
        Whole | None, Field(ge=1, le=MAX_STEPS, description="Exact number of steps.")
    ] = None
    max_attempts: Annotated[Whole | None, Field(ge=1, le=10)] = None
    width: Annotated[Whole | None, Field(ge=16, le=8192, description="Pixels.")] = None
    height: Annotated[Whole | None, Field(ge=16, le=8192, description="Pixels.")] = None
    seed: Annotated[Whole | None, Field(ge=0, le=MAX_SEED)] = None
    references: References | None = None
    on_exhausted: OnExhausted | None = None
    approval: Approval = Approval.NONE
    speculation: Speculation | None = None
    priority: Annotated[
        Lane, Field(description="`batch` waits behind `interactive`, and is never forgotten.")
    ] = Lane.INTERACTIVE
    deadline_s: Annotated[Number | None, Field(gt=0, le=86_400)] = None
    max_generator_calls: Annotated[Whole, Field(ge=1, le=1000)] = 100
    webhook: WebhookBody | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=16)] = {}

    @model_validator(mode="after")
    def _steps_fit(self) -> TrajectoryBody:
        if self.steps is not None and self.steps > self.max_steps:
            raise ValueError("`steps` is larger than `max_steps`")
        if (self.width is None) != (self.height is None):
            raise ValueError("give `width` and `height` together, or neither")
        return self


class PlanStepBody(Body):
    """A step as the caller wants it; without `prompt` it is text only."""

    step_number: Annotated[Whole, Field(ge=1, le=10_000)]
    step_name: Annotated[str, Field(max_length=200)] = ""
    instruction: Annotated[str | None, Field(max_length=4000)] = None
    prompt: Annotated[str | None, Field(min_length=1, max_length=4000)] = None
    auxiliary_text: Annotated[str | None, Field(max_length=4000)] = None


class PlanBody(Body):
    """A whole plan to put in place of the planner's."""

    steps: Annotated[list[PlanStepBody], Field(min_length=1, max_length=MAX_STEPS)]
    revision: Annotated[
        Whole | None,
        Field(ge=0, description="The revision that was edited; refused if it is not the newest."),
    ] = None


class RetryBody(Body):
    """How a step is to be redone."""

    prompt: Annotated[Prompt | None, Field(max_length=4000)] = None
    seed: Annotated[Whole | None, Field(ge=0, le=MAX_SEED)] = None


class ForkBody(Body):
    """Where a fork begins and what is different from there; what is not given stays as it was.

    Without `steps` and `replan` the rest of the plan is done again.
    """

    step: Annotated[
        Whole,
        Field(ge=1, le=10_000, description="Its `step_number`: everything before it is kept."),
    ]
    prompt: Annotated[
        Prompt | None, Field(max_length=4000, description="Replaces the prompt of that step.")
    ] = None
    steps: Annotated[
        list[PlanStepBody] | None,
        Field(min_length=1, max_length=MAX_STEPS, description="Another rest of the plan."),
    ] = None
    replan: Annotated[
        StrictBool,
        Field(description="The planner writes the plan anew; kept steps stay as they are."),
    ] = False
    generator: GeneratorName | None = None
    profile: ProfileName | None = None
    max_attempts: Annotated[Whole | None, Field(ge=1, le=10)] = None
    seed: Annotated[Whole | None, Field(ge=0, le=MAX_SEED, description="By default a new one.")] = (
        None
    )
    references: References | None = None
    on_exhausted: OnExhausted | None = None
    approval: Approval | None = None
    speculation: Speculation | None = None
    priority: Lane = Lane.INTERACTIVE
    deadline_s: Annotated[Number | None, Field(gt=0, le=86_400)] = None
    max_generator_calls: Annotated[
        Whole | None, Field(ge=1, le=1000, description="Kept steps cost nothing of it.")
    ] = None
    webhook: WebhookBody | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue] | None, Field(max_length=16)] = None

    @model_validator(mode="after")
    def _one_way_only(self) -> ForkBody:
        if sum((self.prompt is not None, self.steps is not None, self.replan)) > 1:
            raise ValueError("give one of `prompt`, `steps` and `replan`")
        return self
