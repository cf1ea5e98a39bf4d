"""What a request will probably take: calls from the profile, seconds from rough shares.

Rough on purpose: the number of steps is the planner's, and only known after planning.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from services.gateway.admission import resolve_profile
from services.gateway.schemas import TrajectoryBody
from shared.contracts.generation import GeneratorInfo
from shared.contracts.profiles import Profile

_USUAL_STEPS = 4
_ATTEMPTS_PER_STEP = 1.4
"""Mean attempts of a step with a critic, where the profile allows more than one."""


class CallRange(BaseModel):
    """Number of calls."""

    model_config = ConfigDict(frozen=True)

    least: int
    expected: float
    most: int


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


def estimate(body: TrajectoryBody, name: str, info: GeneratorInfo) -> Estimate:
    """Bounds and expectation for ``body`` on generator ``name``."""
    settings = resolve_profile(body)
    steps = _steps(body)
    calls = _generator_calls(steps, settings, cap=body.max_generator_calls)
    no_calls = CallRange(least=0, expected=0.0, most=0)
    return Estimate(
        generator=name,
        width=body.width or info.default_width_px,
        height=body.height or info.default_height_px,
        steps=steps,
        generator_calls=calls,
        critic_calls=calls if settings.critic else no_calls,
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
