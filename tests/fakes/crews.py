"""Planners, critics and studios without models, for trajectories in one process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.trainer.ablation.agents import Judged
from services.trainer.ablation.drawing import Order
from services.trainer.sketchbook.agents.data import shown
from services.trainer.sketchbook.grader import decode
from services.trainer.sketchbook.language import outcomes_of
from services.trainer.sketchbook.reading import Picture
from services.trainer.sketchbook.requests import SketchRequest
from services.trainer.sketchbook.settling import carry_out
from shared.contracts.plans import PlanStep
from shared.prompts.critic import VerdictDraft


@dataclass(slots=True)
class PlansByHeart:
    """Gives the plan that the request was made with."""

    def plans(self, requests: Sequence[SketchRequest]) -> list[tuple[PlanStep, ...]]:
        return [tuple(_step(step) for step in request.plan) for request in requests]


def _step(step: object) -> PlanStep:
    return PlanStep.model_validate(step, from_attributes=True)


class PlansNothing:
    """Gives no usable plan."""

    def plans(self, requests: Sequence[SketchRequest]) -> list[tuple[PlanStep, ...]]:
        return [() for _ in requests]


@dataclass(slots=True)
class DrawsExactly:
    """Carries every prompt out; those that hold a word come out as their source."""

    fails_on: str | None = None
    orders: list[Order] = field(default_factory=list[Order])

    def pictures(self, orders: Sequence[Order]) -> list[Picture]:
        self.orders += orders
        return [self._drawn(order) for order in orders]

    def _drawn(self, order: Order) -> Picture:
        if self.fails_on is not None and self.fails_on in order.prompt:
            return shown(order.source)
        before = None if order.source is None else decode(order.source).scene
        return shown(carry_out(before, order.prompt.removesuffix(" better")))


@dataclass(slots=True)
class JudgesExactly:
    """Passes what is right; rewrites to the prompt with a word added, or says nothing."""

    rewrites: bool = True
    asked: list[Judged] = field(default_factory=list[Judged])

    def verdicts(self, cases: Sequence[Judged]) -> list[VerdictDraft | None]:
        self.asked += cases
        return [self._verdict(case) for case in cases]

    def _verdict(self, case: Judged) -> VerdictDraft | None:
        if not self.rewrites:
            return None
        before = None if case.before is None else decode(case.before).scene
        right = decode(case.after).scene in outcomes_of(before, case.prompt)
        return VerdictDraft(right, case.used if right else f"{case.prompt} better")
