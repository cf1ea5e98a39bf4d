"""Measures planner and critic on held-out wordings, the critic on what the generator drew.

Not here: whole trajectories (``trajectories``), the generator alone (``generator.evaluate``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Protocol

from services.trainer.sketchbook.agents.answers import Agent
from services.trainer.sketchbook.agents.data import Picture
from services.trainer.sketchbook.grader import grade
from services.trainer.sketchbook.language import UnknownWordingError, outcomes_of
from services.trainer.sketchbook.requests import SketchRequest, execute, sample_request
from services.trainer.sketchbook.samples import generator_sample
from services.trainer.sketchbook.shares import Share
from services.trainer.sketchbook.wording import Split
from services.trainer.sketchbook.world import ImpossibleEditError, Scene
from shared.contracts.plans import PlanStep
from shared.prompts.planner import PlanFacts, plan_faults

_MAX_DRAWN_PER_CASE = 30


class Artist(Protocol):
    """Whoever draws: text-to-image without a picture before, else an edit of it."""

    def draw(self, prompt: str, before: Scene | None, *, seed: int) -> Picture:
        """A picture, (128, 128, 3) uint8."""
        ...


@dataclass(frozen=True, slots=True)
class PlannerQuality:
    """How good plans are on held-out requests."""

    valid: Share
    """Readable, and keeping every rule that the request sets, the step count included."""
    step_count: Share
    """The asked number of steps, where one was asked."""
    goal_reached: Share
    """Exact execution gives what was asked, in requests that name what they want."""
    implicit_goal_reached: Share
    """The same in requests that must be puzzled out."""


@dataclass(frozen=True, slots=True)
class CriticQuality:
    """How good verdicts are on the generator's own pictures, half of them wrong."""

    verdict_accuracy: Share
    repair_rate: Share
    """Failures whose rewritten prompt, drawn once more, gives a right picture."""


def evaluate_planner(agent: Agent, *, cases: int, seed: int = 0) -> PlannerQuality:
    """Plan ``cases`` requests of the usual mix and as many implicit ones."""
    rng = Random(f"planner-heldout-{seed}")
    explicit = [sample_request(rng, Split.HELDOUT, implicit=False) for _ in range(cases)]
    implicit = [sample_request(rng, Split.HELDOUT, implicit=True) for _ in range(cases)]
    plans = [(request, agent.plan(request.text, request.images))
             for request in (*explicit, *implicit)]  # fmt: skip
    return PlannerQuality(
        valid=Share.of([is_valid(request, plan) for request, plan in plans]),
        step_count=Share.of([len(p) == r.asked_steps for r, p in plans if r.asked_steps]),
        goal_reached=Share.of([reaches_goal(r, p) for r, p in plans[:cases]]),
        implicit_goal_reached=Share.of([reaches_goal(r, p) for r, p in plans[cases:]]),
    )


def is_valid(request: SketchRequest, plan: tuple[PlanStep, ...]) -> bool:
    """Whether a plan keeps the rules for its request."""
    return not plan_faults(plan, PlanFacts(image_count=len(request.images)))


def reaches_goal(request: SketchRequest, plan: tuple[PlanStep, ...]) -> bool:
    """Whether carrying the plan out exactly gives what the request asked for."""
    prompts = [step.prompt for step in plan if step.prompt is not None]
    try:
        scenes = execute(prompts, request.source)
    except (UnknownWordingError, ImpossibleEditError):
        return False
    return request.goal.reached(scenes, [step.auxiliary_text for step in plan])


@dataclass(frozen=True, slots=True)
class Drawn:
    """A prompt, what the generator made of it, and whether that is right."""

    before: Scene | None
    prompt: str
    picture: Picture
    success: bool


def drawn_cases(artist: Artist, rng: Random, split: Split) -> Iterator[Drawn]:
    """Endless pictures by the generator, graded."""
    for seed in count(rng.getrandbits(30)):
        sample = generator_sample(rng, split)
        picture = artist.draw(sample.prompt, sample.before, seed=seed)
        accepted = outcomes_of(sample.before, sample.prompt)
        success = grade(sample.before, accepted, picture).success
        yield Drawn(sample.before, sample.prompt, picture, success)


def balanced_cases(artist: Artist, *, cases: int, seed: int = 0) -> list[Drawn]:
    """Half right and half wrong pictures, as far as the generator errs often enough."""
    found: dict[bool, list[Drawn]] = {True: [], False: []}
    drawing = drawn_cases(artist, Random(f"critic-heldout-{seed}"), Split.HELDOUT)
    for number, case in enumerate(drawing):
        if len(found[case.success]) < cases // 2:
            found[case.success].append(case)
        enough = all(len(kind) >= cases // 2 for kind in found.values())
        if enough or number >= _MAX_DRAWN_PER_CASE * cases:
            break
    return found[True] + found[False]


def evaluate_critic(agent: Agent, artist: Artist, *, cases: int, seed: int = 0) -> CriticQuality:
    """Judge ``cases`` of the generator's pictures, and draw the failed ones again."""
    right: list[bool] = []
    repaired: list[bool] = []
    for number, case in enumerate(balanced_cases(artist, cases=cases, seed=seed)):
        draft = agent.judge(case.prompt, case.prompt, before=case.before, after=case.picture)
        right.append(draft is not None and draft.previous_step_success == case.success)
        if not case.success:
            refined = draft.refine_prompt if draft else ""
            repaired.append(is_repaired(case, refined or case.prompt, artist, seed=number))
    return CriticQuality(Share.of(right), Share.of(repaired))


def is_repaired(case: Drawn, refined: str, artist: Artist, *, seed: int) -> bool:
    """Whether another attempt with the refined prompt does what the first prompt asked."""
    picture = artist.draw(refined, case.before, seed=seed + 1_000_000)
    return grade(case.before, outcomes_of(case.before, case.prompt), picture).success
