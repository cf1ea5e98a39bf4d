"""What a generator drew is kept whole, and the lesson of it tells the truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np

from services.trainer.sketchbook.agents.data import Picture
from services.trainer.sketchbook.agents.outcomes import (
    drawn_lesson,
    load_outcomes,
    write_outcomes,
)
from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.world import Background, Scene
from shared.prompts.critic import parse_verdict


class StubbornArtist:
    """Draws an empty meadow, whatever it is asked for."""

    def draw(
        self, prompts: Sequence[str], sources: Sequence[Picture], *, seed: int
    ) -> list[Picture]:
        del sources, seed
        return [render(Scene(Background("meadow"))) for _ in prompts]


def test_outcomes_come_back_as_they_were_drawn(tmp_path: Path) -> None:
    write_outcomes(StubbornArtist(), tmp_path, count=32, seed=1, per_file=32)
    found = load_outcomes(tmp_path)
    assert len(found) >= 32
    meadow = render(Scene(Background("meadow")))
    assert all(np.array_equal(outcome.picture, meadow) for outcome in found)
    edits = [outcome for outcome in found if outcome.case.before is not None]
    assert edits
    for outcome in edits:
        assert outcome.case.before is not None
        assert outcome.case.source is not None
        assert np.array_equal(outcome.case.source, render(outcome.case.before))


def test_what_is_there_already_is_not_drawn_again(tmp_path: Path) -> None:
    write_outcomes(StubbornArtist(), tmp_path, count=16, seed=1, per_file=16)
    first = (tmp_path / "0000.npz").stat().st_mtime_ns
    write_outcomes(StubbornArtist(), tmp_path, count=32, seed=1, per_file=16)
    assert (tmp_path / "0000.npz").stat().st_mtime_ns == first
    assert (tmp_path / "0001.npz").exists()


def test_the_lesson_of_an_outcome_says_what_the_grader_says(tmp_path: Path) -> None:
    write_outcomes(StubbornArtist(), tmp_path, count=32, seed=2, per_file=32)
    rng = Random(5)
    for outcome in load_outcomes(tmp_path):
        lesson = drawn_lesson(outcome, rng)
        assert parse_verdict(lesson.answer).previous_step_success == outcome.grade.success
        assert lesson.scenes[1] is outcome.picture
