from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.trainer.sft.metrics import forget_after, write_metrics
from services.trainer.sft.training import step_of


def _steps(path: Path) -> list[int]:
    return [json.loads(line)["step"] for line in path.read_text().splitlines()]


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """Five steps, the sum of the run, and a line that was cut."""
    path = tmp_path / "metrics.jsonl"
    for step in range(5):
        write_metrics(path, {"step": step, "loss": 0.5})
    write_metrics(path, {"step": 4, "train_runtime": 9.0})
    path.write_text(path.read_text() + '{"step": 2, "lo')
    return path


def test_what_is_done_once_more_is_told_once(told: Path) -> None:
    forget_after(told, 2)
    write_metrics(told, {"step": 3, "loss": 0.4})

    assert _steps(told) == [0, 1, 2, 3]


def test_a_run_that_goes_on_after_its_end_has_one_sum(told: Path) -> None:
    forget_after(told, 4)

    assert _steps(told) == [0, 1, 2, 3, 4]


def test_a_run_from_the_beginning_has_told_nothing(told: Path, tmp_path: Path) -> None:
    forget_after(told, None)
    forget_after(tmp_path / "none.jsonl", None)

    assert told.read_text() == ""


def test_a_checkpoint_says_how_many_steps_are_behind_it() -> None:
    assert step_of("runs/a-b/checkpoints/checkpoint-40") == 40
    assert step_of(None) is None
