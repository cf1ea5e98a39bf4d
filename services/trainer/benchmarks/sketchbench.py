"""Sketchbench: held-out Sketchbook requests of every use, scored exactly.

The requests are drawn from a fixed seed and checked against a committed hash, so that two
results can be compared only if they answer the same requests. Not here: the scores of one
result (``sketchbench_scores``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from services.trainer.benchmarks.folder import ResultsFolder, write_atomically
from services.trainer.benchmarks.pictures import opened, png
from services.trainer.benchmarks.records import BenchmarkDataError, Item, ItemScore, Line, Produced
from services.trainer.benchmarks.scoring import line, lines_by_group
from services.trainer.benchmarks.sketchbench_scores import score
from services.trainer.sketchbook.reading import Picture
from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.requests import SketchRequest, Use, sample_request
from services.trainer.sketchbook.wording import Split
from services.trainer.sketchbook.world import Scene

SEED = 20_260_601
EXPLICIT_PER_USE = 100
IMPLICIT_PER_USE = 40
_LOCK = Path(__file__).with_name("sketchbench.lock.json")
_TRIES = 50
"""Samples drawn for one new request before the world counts as used up."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request of the benchmark under its id."""

    id: str
    request: SketchRequest

    @property
    def group(self) -> str:
        """Its use, or ``implicit``."""
        return "implicit" if self.request.implicit else str(self.request.use)


def questions() -> tuple[Question, ...]:
    """Every request: 100 of each use, and 40 implicit ones of each that has them."""
    seen: set[tuple[str, tuple[Scene, ...]]] = set()
    found: list[Question] = []
    for use in Use:
        found.extend(_drawn(use, EXPLICIT_PER_USE, seen, implicit=False))
        if use is not Use.ANNOTATION:
            found.extend(_drawn(use, IMPLICIT_PER_USE, seen, implicit=True))
    return tuple(found)


def _drawn(
    use: Use, count: int, seen: set[tuple[str, tuple[Scene, ...]]], *, implicit: bool
) -> Iterator[Question]:
    kind = "implicit" if implicit else "explicit"
    rng = Random(f"{SEED}/{use}/{kind}")
    for number in range(1, count + 1):
        yield Question(f"{use}-{kind}-{number:03d}", _new(rng, use, seen, implicit=implicit))


def _new(
    rng: Random, use: Use, seen: set[tuple[str, tuple[Scene, ...]]], *, implicit: bool
) -> SketchRequest:
    """A request that was not drawn before, if one can be found in a bounded number of tries."""
    for _ in range(_TRIES):
        request = sample_request(rng, Split.HELDOUT, use=use, implicit=implicit)
        if request.implicit == implicit and (request.text, request.images) not in seen:
            seen.add((request.text, request.images))
            return request
    raise BenchmarkDataError(f"no {_TRIES} samples of {use} gave a new request")


def digest(found: Sequence[Question]) -> str:
    """SHA-256 of all that is asked and counts as reached."""
    whole = "\n".join(f"{q.id} {q.request.text} {q.request.images} {q.request.goal}" for q in found)
    return hashlib.sha256(whole.encode()).hexdigest()


def freeze() -> None:
    """Commit to the requests as they are drawn now."""
    found = questions()
    lock = {"seed": SEED, "count": len(found), "sha256": digest(found)}
    write_atomically(_LOCK, (json.dumps(lock, indent=2) + "\n").encode())


def frozen_questions() -> tuple[Question, ...]:
    """The requests, checked against the committed hash.

    Raises:
        BenchmarkDataError: They are not those any more.
    """
    found = questions()
    lock = json.loads(_LOCK.read_text("utf-8"))
    if (lock["seed"], lock["count"], lock["sha256"]) != (SEED, len(found), digest(found)):
        raise BenchmarkDataError(
            "the requests are not the frozen ones any more: results cannot be compared with older "
            "ones; if that is wanted, run `sketchbench --freeze`"
        )
    return found


class Sketchbench:
    """The benchmark; pictures given in requests are written under ``home``."""

    name = "sketchbench"
    key = "goal"
    deviations = ()

    def __init__(self, home: Path, found: Sequence[Question] | None = None) -> None:
        self._questions = tuple(frozen_questions() if found is None else found)
        self._home = home

    def items(self) -> tuple[Item, ...]:
        """The requests as items; writes the given pictures."""
        return tuple(self._item(question) for question in self._questions)

    def _item(self, question: Question) -> Item:
        paths: list[Path] = []
        for number, scene in enumerate(question.request.images, start=1):
            path = self._home / "given" / f"{question.id}-{number}.png"
            if not path.exists():
                write_atomically(path, png(Image.fromarray(render(scene))))
            paths.append(path)
        return Item(
            id=question.id,
            prompt=question.request.text,
            group=question.group,
            images=tuple(paths),
            pictures=max(1, len(question.request.prompts)),
        )

    def scores(self, folder: ResultsFolder, *, ids: set[str]) -> tuple[ItemScore, ...]:
        """Score what lies in a folder, of these items; what was not run is left out."""
        found: list[ItemScore] = []
        for question in self._questions:
            produced = folder.load(question.id) if question.id in ids else None
            if produced is not None:
                pictures = _pictures(folder, produced)
                found.append(score(question.id, question.request, produced, pictures))
        return tuple(found)

    def lines(self, scores: Sequence[ItemScore]) -> tuple[Line, ...]:
        """Every value, and the goal by use."""
        unit = "%"
        return (
            line("goal reached", scores, "goal", unit=unit, scale=100, headline=True),
            line("conditions met", scores, "checks", unit=unit, scale=100),
            line("steps right", scores, "steps", unit=unit, scale=100),
            line("steps without collateral damage", scores, "clean", unit=unit, scale=100),
            line("order of texts and pictures", scores, "structure", unit=unit, scale=100),
            line("texts right", scores, "text", unit=unit, scale=100),
            *lines_by_group(scores, "goal", unit=unit, scale=100),
        )


def _pictures(folder: ResultsFolder, produced: Produced) -> dict[str, Picture]:
    paths = folder.pictures(produced)
    return {path.name: np.asarray(opened(path), dtype=np.uint8) for path in paths}
