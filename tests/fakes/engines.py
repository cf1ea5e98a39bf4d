"""Planner, critic and generator in this process: right at once, or failing as they are named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Generator as Yields
from dataclasses import dataclass, field

from shared.contracts.generation import GenerateTask, Picture, PictureRefused
from shared.contracts.plans import Plan, PlanFinished, PlanRefused, PlanStepWritten, PlanTask
from shared.contracts.verdicts import Verdict, VerdictTask, VerdictUnparsable
from shared.errors import InterleaveError
from tests.fakes.model_services import picture_of
from tests.trajectories import plan_of

Cancelled = Callable[[], bool]


@dataclass(slots=True)
class PlansAtOnce:
    """Writes the same plan for everything."""

    prompts: Sequence[str | None]

    def plan(
        self, task: PlanTask, cancelled: Cancelled
    ) -> Yields[PlanStepWritten | PlanFinished | PlanRefused]:
        plan: Plan = plan_of(*self.prompts)
        for step in plan.steps:
            yield PlanStepWritten(step=step)
        yield PlanFinished(plan=plan)


@dataclass(slots=True)
class RefusesPlans:
    """Never finds a plan."""

    def plan(
        self, task: PlanTask, cancelled: Cancelled
    ) -> Yields[PlanStepWritten | PlanFinished | PlanRefused]:
        yield PlanRefused(code="out_of_scope", detail="no rockets")


@dataclass(slots=True)
class DrawsAtOnce:
    """Makes up a reference; raises ``failures`` first, one per call."""

    failures: list[InterleaveError] = field(default_factory=list[InterleaveError])
    tasks: list[GenerateTask] = field(default_factory=list[GenerateTask])

    def draw(self, task: GenerateTask, cancelled: Cancelled) -> Picture | PictureRefused:
        self.tasks.append(task)
        if self.failures:
            raise self.failures.pop(0)
        return Picture(image=picture_of(task), model="fake", model_version="1")


@dataclass(slots=True)
class RefusesPictures:
    """The generator's own filter says no to everything."""

    calls: int = 0

    def draw(self, task: GenerateTask, cancelled: Cancelled) -> Picture | PictureRefused:
        self.calls += 1
        return PictureRefused(code="nsfw", detail="not this")


@dataclass(slots=True)
class JudgesByScript:
    """Gives the verdicts in order (None: unreadable), then only success."""

    verdicts: list[bool | None] = field(default_factory=list[bool | None])
    tasks: list[VerdictTask] = field(default_factory=list[VerdictTask])

    def judge(self, task: VerdictTask, cancelled: Cancelled) -> Verdict | VerdictUnparsable:
        self.tasks.append(task)
        success = self.verdicts.pop(0) if self.verdicts else True
        if success is None:
            return VerdictUnparsable(detail="no braces")
        refined = task.used_prompt if success else f"{task.used_prompt}!"
        return Verdict(success=success, refine_prompt=refined)
