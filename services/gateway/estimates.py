"""What a request will probably take: calls from the profile, seconds from calls measured here.

Rough on purpose: the number of steps is the planner's, and only known after planning. Calls
are taken to follow each other; waiting in line before the first one is not part of it.
"""

from __future__ import annotations

from statistics import median
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.gateway.admission import resolve_profile
from services.gateway.schemas import TrajectoryBody
from shared.contracts.generation import GeneratorInfo
from shared.contracts.profiles import Profile
from shared.stores.durations import CRITIQUE, PLAN, CallDurations, generate_kind

_USUAL_STEPS = 4
_ATTEMPTS_PER_STEP = 1.4
"""Mean attempts of a step with a critic, where the profile allows more than one."""


class CallRange(BaseModel):
    """Number of calls."""

    model_config = ConfigDict(frozen=True)

    least: int
    expected: float
    most: int


class SecondsRange(BaseModel):
    """Seconds from the first call to the result."""

    model_config = ConfigDict(frozen=True)

    least: float
    expected: float
    most: float


class MeasuredCall(BaseModel):
    """How long calls of one kind took lately on this installation."""

    model_config = ConfigDict(frozen=True)

    kind: Annotated[str, Field(examples=["plan", "critique", "generate:sketchbook"])]
    median_s: Annotated[float | None, Field(description="None: never measured yet.")]
    calls: Annotated[int, Field(description="How many the median is of.")]


class Estimate(BaseModel):
    """What to expect."""

    model_config = ConfigDict(frozen=True)

    generator: str
    width: int
    height: int
    steps: CallRange
    planner_calls: int = 1
    generator_calls: CallRange
    critic_calls: CallRange
    seconds: Annotated[
        SecondsRange | None,
        Field(description="From the medians in `measured`; None until each kind was measured."),
    ] = None
    measured: list[MeasuredCall] = []
    note: str | None = None


def estimate(
    body: TrajectoryBody, name: str, info: GeneratorInfo, *, durations: CallDurations
) -> Estimate:
    """Bounds and expectation for ``body`` on generator ``name``."""
    settings = resolve_profile(body)
    steps = _steps(body)
    calls = _generator_calls(steps, settings, cap=body.max_generator_calls)
    no_calls = CallRange(least=0, expected=0.0, most=0)
    judged = calls if settings.critic else no_calls
    kinds = [PLAN, generate_kind(name), *([CRITIQUE] if settings.critic else [])]
    measured = [_measured(kind, durations.recent(kind)) for kind in kinds]
    missing = [each.kind for each in measured if each.median_s is None]
    once = CallRange(least=1, expected=1.0, most=1)
    return Estimate(
        generator=name,
        width=body.width or info.default_width_px,
        height=body.height or info.default_height_px,
        steps=steps,
        generator_calls=calls,
        critic_calls=judged,
        seconds=None if missing else _seconds([once, calls, judged], measured),
        measured=measured,
        note=f"No measurement yet of: {', '.join(missing)}." if missing else None,
    )


def _measured(kind: str, seconds: list[float]) -> MeasuredCall:
    middle = round(median(seconds), 4) if seconds else None
    return MeasuredCall(kind=kind, median_s=middle, calls=len(seconds))


def _seconds(calls: list[CallRange], measured: list[MeasuredCall]) -> SecondsRange:
    """Calls times their medians; ``measured`` may leave out the last kinds."""
    pairs = [(number, each.median_s or 0.0) for number, each in zip(calls, measured, strict=False)]
    return SecondsRange(
        least=round(sum(number.least * each_s for number, each_s in pairs), 2),
        expected=round(sum(number.expected * each_s for number, each_s in pairs), 2),
        most=round(sum(number.most * each_s for number, each_s in pairs), 2),
    )


def _steps(body: TrajectoryBody) -> CallRange:
    if body.steps is not None:
        return CallRange(least=body.steps, expected=float(body.steps), most=body.steps)
    usual = float(min(_USUAL_STEPS, body.max_steps))
    return CallRange(least=1, expected=usual, most=body.max_steps)


def _generator_calls(steps: CallRange, settings: Profile, *, cap: int) -> CallRange:
    attempts = min(settings.max_attempts, _ATTEMPTS_PER_STEP) if settings.critic else 1.0
    return CallRange(
        least=min(steps.least, cap),
        expected=min(round(steps.expected * attempts, 1), float(cap)),
        most=min(steps.most * settings.max_attempts, cap),
    )
