"""Small hand-made items and results; never the benchmarks' own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from PIL import Image

from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.records import Item, Produced, ProducedPart, ProducedStep

Make = Callable[..., Produced]
Failing = Callable[[Item], Produced]

# A busy machine must not fail a test of pure functions.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def draw(path: Path, colour: str = "red", side_px: int = 32) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (side_px, side_px), colour).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> ResultsFolder:
    return ResultsFolder(tmp_path / "run")


@pytest.fixture
def make(folder: ResultsFolder) -> Make:
    """Makes and keeps a result with so many pictures, each after a text."""

    def produced(item: Item, pictures: int = 1, *, first: int = 1, text: str = "Step") -> Produced:
        numbers = range(first, first + pictures)
        steps = [
            ProducedStep(step_number=n, text=f"{text} {n}", prompt="p", file=f"{n}.png")
            for n in numbers
        ]
        parts: list[ProducedPart] = []
        for n in numbers:
            draw(folder.item(item.id) / f"{n}.png")
            parts.append(ProducedPart(type="text", step=n, text=f"{text} {n}"))
            parts.append(ProducedPart(type="image", step=n, file=f"{n}.png"))
        result = Produced(
            item_id=item.id,
            status="succeeded",
            steps=tuple(steps),
            parts=tuple(parts),
            generator_calls=pictures,
        )
        folder.save(result)
        return result

    return produced


@pytest.fixture
def nothing(folder: ResultsFolder) -> Failing:
    """Keeps the result of an item that failed."""

    def failed(item: Item) -> Produced:
        result = Produced(item_id=item.id, status="failed", problem="plan_unusable")
        folder.save(result)
        return result

    return failed
