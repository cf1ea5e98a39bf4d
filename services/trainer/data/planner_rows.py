"""What the planner learns from: whole plans, trajectories cut at a random step, documents.

A cut trajectory is a request to go on: the request and the steps so far, with their pictures,
are the input; the rest of the plan is the answer. Not here: CoMM's files (``comm_plans``).

Source: InterleaveThinker, planner data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

import numpy as np

from services.trainer.benchmarks.records import IMAGE_MARK
from services.trainer.data.folder import DataFolder
from services.trainer.data.records import PromptRecord, StepRecord, TrajectoryRecord
from services.trainer.data.scoring import opened
from services.trainer.data.world import world_request
from services.trainer.sketchbook.agents.lessons import changes, plan_thought
from services.trainer.sketchbook.captions import caption_places
from services.trainer.sketchbook.reading import decode
from shared.contracts.plans import PlanStep


@dataclass(frozen=True, slots=True)
class PlannerRow:
    """A request and its plan. ``images`` are files of the data folder, one for each mark."""

    id: str
    prompt_id: str
    category: str
    source: str
    """``plan``, ``cut`` or ``comm``."""
    text: str
    images: tuple[str, ...]
    steps: tuple[PlanStep, ...]
    thought: str = ""

    @property
    def reply(self) -> str:
        """The planner's whole answer, to learn."""
        plan = {"execution_plan": [step.model_dump() for step in self.steps]}
        return f"<think>{self.thought}</think><answer>{json.dumps(plan)}</answer>"


def whole_plan(trajectory: TrajectoryRecord, prompt: PromptRecord) -> PlannerRow:
    """A request with the plan that was made for it."""
    steps = tuple(step.plan for step in trajectory.steps)
    thought = f"{len(steps)} steps."
    if prompt.world_seed is not None:
        thought = plan_thought(world_request(prompt.world_seed))
    return PlannerRow(
        trajectory.id, prompt.id, prompt.category, "plan", prompt.text, prompt.images, steps,
        thought,
    )  # fmt: skip


def random_cut(
    trajectory: TrajectoryRecord, prompt: PromptRecord, folder: DataFolder, rng: Random
) -> PlannerRow | None:
    """The trajectory cut behind a random step; None where there is no step to cut behind.

    Only accepted steps are given as the beginning: nobody should learn to go on from a fault.
    """
    good = _accepted(trajectory.steps)
    places = range(1, min(good, len(trajectory.steps) - 1) + 1)
    if not places or not all(step.plan.draws for step in trajectory.steps):
        return None
    at = rng.choice(places)
    text, images = cut_text(prompt, trajectory.steps[:at])
    rest = tuple(step.plan for step in trajectory.steps[at:])
    thought = f"{len(rest)} steps."
    if prompt.world_seed is not None:
        thought = f"{_seen(images, folder)}. {thought}"
    return PlannerRow(
        f"{trajectory.id}-from{at}", prompt.id, prompt.category, "cut", text, images, rest, thought
    )


def cut_text(prompt: PromptRecord, begun: Sequence[StepRecord]) -> tuple[str, tuple[str, ...]]:
    """The request with what was done so far, and all pictures in the order of their marks."""
    done = " ".join(f"{step.plan.text} {IMAGE_MARK}".strip() for step in begun)
    files = tuple(step.file for step in begun if step.file is not None)
    lead = prompt.text
    if prompt.images and IMAGE_MARK not in lead:
        lead = f"{' '.join([IMAGE_MARK] * len(prompt.images))} {lead}"
    return f"{lead} So far: {done} Continue.", (*prompt.images, *files)


def _accepted(steps: Sequence[StepRecord]) -> int:
    """How many steps from the beginning were accepted with a picture."""
    for number, step in enumerate(steps):
        if not step.accepted or step.file is None:
            return number
    return len(steps)


def _seen(images: Sequence[str], folder: DataFolder) -> str:
    """What Sketchbook's planner notes of the pictures that it is given."""
    scenes = [decode(np.ascontiguousarray(opened(folder.path(file)))).scene for file in images]
    told = [changes(was, now) for was, now in pairwise(scenes)]
    return ". ".join((*told, caption_places(scenes[-1])))
