from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pytest

from services.trainer.data.drawn import Drawn, draw_cases, mixed, read_cases, write_cases
from services.trainer.sketchbook.agents.data import shown, white_canvas
from services.trainer.sketchbook.grader import decode
from services.trainer.sketchbook.reading import Picture
from services.trainer.sketchbook.settling import carry_out
from services.trainer.sketchbook.wording import Split
from services.trainer.sketchbook.world import Background, Scene

_WHITE = white_canvas()


@dataclass(slots=True)
class MissesEveryThird:
    """Carries prompts out exactly, but every third picture stays as it was (or empty)."""

    drawn: int = 0

    def draw(
        self, prompts: Sequence[str], sources: Sequence[Picture], *, seed: int
    ) -> list[Picture]:
        given = list(sources) or [None] * len(prompts)
        return [self._one(prompt, source) for prompt, source in zip(prompts, given, strict=True)]

    def _one(self, prompt: str, source: Picture | None) -> Picture:
        self.drawn += 1
        before = None if source is None else decode(source).scene
        if self.drawn % 3 == 0:
            return shown(before or Scene(Background("paper")))
        return shown(carry_out(before, prompt))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """256 cases, drawn once."""
    found = tmp_path_factory.mktemp("drawn")
    draw_cases(MissesEveryThird, found, Split.TRAIN, count=256, seed=1, on_file=lambda _: None)
    return found


def test_failures_are_what_was_drawn_wrong(folder: Path) -> None:
    cases = list(read_cases(folder))

    assert len(cases) == 256
    assert 60 <= sum(not case.success for case in cases) <= 100
    assert 30 <= sum(case.used != case.prompt for case in cases) <= 100
    assert any((case.before == _WHITE).all() for case in cases)


def test_files_that_are_there_are_not_drawn_again(folder: Path) -> None:
    def never() -> MissesEveryThird:
        raise AssertionError("nothing is left to draw")

    done: list[int] = []
    draw_cases(never, folder, Split.TRAIN, count=256, seed=1, on_file=done.append)

    assert done == [256]


def test_a_set_has_the_share_of_failures_that_was_asked() -> None:
    cases = [Drawn(str(n), str(n), _WHITE, _WHITE, success=n % 4 > 0) for n in range(40)]

    found = mixed(cases, Random(0), failures=0.5)

    assert len(found) == 20
    assert sum(case.success for case in found) == 10
    assert len(mixed(cases, Random(0), failures=0.5, limit=8)) == 8


def test_rows_hold_what_the_rewards_need(folder: Path, tmp_path: Path) -> None:
    cases = list(read_cases(folder))[:20]

    write_cases(tmp_path, "train", cases)

    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    assert [row["truth"] for row in rows] == [case.success for case in cases]
    assert all((tmp_path / name).is_file() for row in rows for name in row["images"])
    assert all(row["semantics"] == pytest.approx(10) for row in rows if row["truth"])
    whites = [bool(np.array_equal(case.before, _WHITE)) for case in cases]
    assert [row["first"] for row in rows] == whites
