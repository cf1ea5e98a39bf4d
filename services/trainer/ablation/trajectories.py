"""Whole trajectories in this process, many at once: the service's policy without the service.

Plan; draw each step from the picture accepted before it; judge; on failure draw again from the
same source with the rewritten prompt; after the last attempt keep the best. Seeds are derived as
the orchestrator derives them, so that the service draws the same pictures. Not here: the models.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.trainer.ablation.agents import Judged
from services.trainer.ablation.drawing import Order
from services.trainer.sketchbook.agents.data import shown
from services.trainer.sketchbook.reading import Picture, decode
from services.trainer.sketchbook.requests import IMAGE_MARK, SketchRequest
from services.trainer.sketchbook.world import Scene
from shared.contracts.plans import PlanStep
from shared.prompts.critic import VerdictDraft


class Planning(Protocol):
    """Whoever plans."""

    def plans(self, requests: Sequence[SketchRequest]) -> list[tuple[PlanStep, ...]]:
        """A plan for each request; none where there is no usable one."""
        ...


class Judging(Protocol):
    """Whoever judges."""

    def verdicts(self, cases: Sequence[Judged]) -> list[VerdictDraft | None]:
        """A verdict for each case; None where there is no readable one."""
        ...


class Drawing(Protocol):
    """Whoever draws."""

    def pictures(self, orders: Sequence[Order]) -> list[Picture]:
        """A picture for each order."""
        ...


@dataclass(frozen=True, slots=True)
class Crew:
    """Who works on a row."""

    planner: Planning | None
    """None: the request itself goes to the generator, again for every picture wanted."""
    critic: Judging | None
    """None: the first picture is taken."""
    studio: Drawing
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class Attempt:
    """A picture of a step and what was said about it."""

    prompt: str
    picture: Picture
    verdict: VerdictDraft | None = None

    @property
    def passed(self) -> bool:
        """Whether the critic accepted it."""
        return self.verdict is not None and self.verdict.previous_step_success


@dataclass(slots=True)
class Course:
    """One request on its way."""

    request: SketchRequest
    seed: int
    steps: tuple[PlanStep, ...]
    index: int = 0
    accepted: list[Picture] = field(default_factory=list[Picture])
    tried: list[Attempt] = field(default_factory=list[Attempt])
    calls: int = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left to draw."""
        return self.index >= len(self.steps)

    @property
    def source(self) -> Picture | None:
        """What the present step starts from: the last picture accepted, or given."""
        if self.accepted:
            return self.accepted[-1]
        return shown(self.request.source) if self.request.source is not None else None

    @property
    def prompt(self) -> str:
        """The prompt of the next attempt: the plan's, then the critic's, or the same again."""
        if not self.tried:
            return self.steps[self.index].prompt or ""
        newest = self.tried[-1]
        refined = newest.verdict.refine_prompt.strip() if newest.verdict else ""
        return refined or newest.prompt

    def order(self) -> Order:
        """The next picture."""
        seed = attempt_seed(self.seed, self.index, len(self.tried) + 1)
        return Order(self.prompt, self.source, seed)

    def judged(self) -> Judged:
        """What the critic is asked about the newest picture."""
        newest = self.tried[-1]
        return Judged(
            self.steps[self.index].prompt or "", newest.prompt, self.source, newest.picture
        )

    def take(self, attempt: Attempt) -> None:
        """Accept a picture and go on to the next step that draws."""
        self.accepted.append(attempt.picture)
        self.tried = []
        self.skip_texts(after=True)

    def skip_texts(self, *, after: bool = False) -> None:
        """Steps without a picture need no work."""
        self.index += after
        while not self.done and self.steps[self.index].prompt is None:
            self.index += 1

    def reached(self) -> bool:
        """Whether all pictures can be read and fulfil the request with the texts."""
        scenes: list[Scene] = []
        for picture in self.accepted:
            reading = decode(picture)
            if not reading.legible:
                return False
            scenes.append(reading.scene)
        texts = [step.text or None for step in self.steps]
        return bool(self.steps) and self.request.goal.reached(scenes, texts)


def attempt_seed(seed: int, index: int, number: int) -> int:
    """The orchestrator's rule for the seed of an attempt; a test holds the two together."""
    text = f"{seed}:{index}:{number}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8]) >> 11


def best(tried: Sequence[Attempt]) -> Attempt:
    """``keep_best``: one that was passed, else the last with a readable verdict, else the last."""
    passed = [each for each in tried if each.passed]
    judged = [each for each in tried if each.verdict is not None]
    return (passed or judged or list(tried))[-1]


def alone(request: SketchRequest) -> tuple[PlanStep, ...]:
    """The request as the plan: its own text for every picture wanted."""
    prompt = " ".join(request.text.replace(IMAGE_MARK, " ").split())
    first = len(request.images) + 1
    numbers = range(first, first + max(1, len(request.prompts)))
    return tuple(PlanStep(step_number=number, prompt=prompt) for number in numbers)


def run(crew: Crew, requests: Sequence[SketchRequest], seeds: Sequence[int]) -> list[Course]:
    """Carry out requests together; every request ends as its own trajectory would."""
    if crew.planner is None:
        plans = [alone(request) for request in requests]
    else:
        plans = crew.planner.plans(requests)
    courses = [Course(*each) for each in zip(requests, seeds, plans, strict=True)]
    for course in courses:
        course.skip_texts()
    while going := [course for course in courses if not course.done]:
        _round(crew, going)
    return courses


def _round(crew: Crew, going: Sequence[Course]) -> None:
    """One more picture for everyone."""
    orders = [course.order() for course in going]
    for course, order, picture in zip(going, orders, crew.studio.pictures(orders), strict=True):
        course.calls += 1
        course.tried.append(Attempt(order.prompt, picture))
    if crew.critic is None:
        for course in going:
            course.take(course.tried[-1])
        return
    verdicts = crew.critic.verdicts([course.judged() for course in going])
    for course, verdict in zip(going, verdicts, strict=True):
        newest = course.tried[-1]
        course.tried[-1] = Attempt(newest.prompt, newest.picture, verdict)
        if course.tried[-1].passed or len(course.tried) >= crew.attempts:
            course.take(best(course.tried))
