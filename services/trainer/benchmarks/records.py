"""What the benchmarks pass around: items, what a system made of them, scores, reports.

Pure data. Not here: reading items (one module per benchmark), files of a run (``folder``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field

from shared.contracts.wire import Wire

IMAGE_MARK = "<image>"
MOST_PICTURES = 20
"""Pictures the generator alone is asked for at most."""


class BenchmarkDataError(ValueError):
    """The items cannot be read; the message says which file, what is wrong and what to do."""


def pictures_like(reference: int) -> int:
    """How many pictures the generator alone is asked for, where a reference answer has so many."""
    return min(MOST_PICTURES, max(1, reference))


class System(StrEnum):
    """What answers the requests."""

    FULL = "full"
    """Planner, generator and critic."""
    NO_CRITIC = "no-critic"
    """Planner and generator; the first picture is taken."""
    GENERATOR = "generator"
    """The request goes to the generator as it stands: no plan, no critic. Where several pictures
    are wanted it is given again for each, on the picture before."""


@dataclass(frozen=True, slots=True)
class Item:
    """One request of a benchmark; ``prompt`` holds one ``<image>`` mark per picture.

    ``group`` is what the benchmark averages by (task, domain, category). ``missing_fields``
    names fields the item should have but has not. ``fields`` is what its judging needs.
    ``pictures`` is how many the generator alone is asked for where ``steps`` does not say.
    """

    id: str
    prompt: str
    group: str
    images: tuple[Path, ...] = ()
    steps: int | None = None
    fields: Mapping[str, object] = field(default_factory=dict[str, object])
    pictures: int = 1
    missing_fields: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        """A field as text; empty when there is none."""
        value = self.fields.get(name)
        return "" if value is None else str(value)


class ProducedPart(Wire):
    """A text or a picture, in reading order; ``file`` is a name in the item's folder."""

    type: Literal["text", "image"]
    step: int
    text: str | None = None
    file: str | None = None


class ProducedStep(Wire):
    """A step as it ended."""

    step_number: int
    text: str = ""
    prompt: str | None = None
    """The plan's prompt; None for text only."""
    used_prompt: str | None = None
    file: str | None = None
    accepted: bool | None = None
    attempts: int = 0


class Produced(Wire):
    """What a system made of one item."""

    item_id: str
    status: str
    trajectory_id: str = ""
    steps: tuple[ProducedStep, ...] = ()
    parts: tuple[ProducedPart, ...] = ()
    planner_calls: int = 0
    generator_calls: int = 0
    critic_calls: int = 0
    seconds: float = 0.0
    problem: str | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts, in order."""
        return tuple(part.text for part in self.parts if part.text)

    @property
    def files(self) -> tuple[str, ...]:
        """File names of the pictures, in order."""
        return tuple(part.file for part in self.parts if part.file)

    @property
    def delivered(self) -> bool:
        """Whether anything came out."""
        return bool(self.parts)


class ItemScore(Wire):
    """Named scores of one item. What could not be judged has no entry in ``values``.

    ``complete`` where all that applies to the item is there, though not the headline's value.
    """

    item_id: str
    group: str
    values: dict[str, float] = Field(default_factory=dict[str, float])
    run_failed: bool = False
    missing_picture: bool = False
    missing_fields: tuple[str, ...] = ()
    judge_failures: tuple[str, ...] = ()
    complete: bool = False


class Line(Wire):
    """One row of a report; without values ``mean`` and the interval are None.

    The interval is None also where a single value stands for a group.
    """

    name: str
    unit: str
    n: int = 0
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    headline: bool = False


class Report(Wire):
    """A benchmark's result for one system."""

    benchmark: str
    system: str
    judge: str = ""
    lines: tuple[Line, ...]
    counts: dict[str, int]
    deviations: tuple[str, ...] = ()
