"""What a sampled request is: its text, its pictures, the plan to learn, the goal to reach.

Here live only the data types. Not here: goals (``goals``), how plans are worded (``plans``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.trainer.sketchbook.goals import Goal
from services.trainer.sketchbook.world import Scene

IMAGE_MARK = "<image>"


class Use(StrEnum):
    """The published uses of interleaved generation."""

    NARRATIVE = "narrative"
    GUIDANCE = "guidance"
    MANIPULATION = "manipulation"
    ANNOTATION = "annotation"
    CONTINUATION = "continuation"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step of a plan; instruction and prompt are None where no picture is made."""

    step_number: int
    step_name: str
    instruction: str | None
    prompt: str | None
    auxiliary_text: str | None = None


@dataclass(frozen=True, slots=True)
class SketchRequest:
    """A request with the plan a planner should give and the goal any plan must reach.

    ``text`` holds one ``<image>`` mark for each given picture.
    """

    text: str
    images: tuple[Scene, ...]
    use: Use
    implicit: bool
    asked_steps: int | None
    plan: tuple[PlannedStep, ...]
    goal: Goal

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompts of the plan, in order."""
        return tuple(step.prompt for step in self.plan if step.prompt is not None)

    @property
    def source(self) -> Scene | None:
        """The picture the first edit starts from: the last one given, if any."""
        return self.images[-1] if self.images else None
