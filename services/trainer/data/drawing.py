"""``interleave data drawn``: draw, grade, and write a data set for the critic's RL.

Training pictures are asked for in the training wordings, held-out ones in wordings that nothing
was trained on; of those half are wrong. Not here: drawing and rows (``drawn``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from rich.console import Console

from services.trainer.ablation.agents import Agents
from services.trainer.ablation.drawing import Studio
from services.trainer.ablation.staged import stage_cases
from services.trainer.benchmarks.records import BenchmarkDataError
from services.trainer.data.datasets import HELD_OUT, TRAIN
from services.trainer.data.drawn import draw_cases, mixed, read_cases, write_cases
from services.trainer.grpo.local import LocalArtist
from services.trainer.sketchbook.agents.outcomes import BatchArtist
from services.trainer.sketchbook.wording import Split

_HELD_OUT_FAILURES = 0.5


@dataclass(frozen=True, slots=True)
class DrawnSet:
    """What is to be drawn."""

    out: Path
    generator: Path
    count: int
    held_out: int
    failures: float
    """Share of wrong pictures in what is learned."""
    seed: int
    planner: Path | None = None
    """Steps of whole trajectories that this planner plans, instead of single edits at random."""


def make_drawn(asked: DrawnSet, console: Console) -> tuple[int, int]:
    """Draw what is missing and write the set; how many cases it has, and how many are held out.

    Raises:
        BenchmarkDataError: There is no such generator.
        ResultsFolderError: Nothing can be written; what was drawn is kept.
    """
    if not (asked.generator / "model_index.json").is_file():
        raise BenchmarkDataError(f"no generator at {asked.generator}")
    target = asked.out / "set"
    counts: list[int] = []
    what = "pictures" if asked.planner is None else "requests"
    for name, split, count, failures in (
        (TRAIN, Split.TRAIN, asked.count, asked.failures),
        (HELD_OUT, Split.HELDOUT, asked.held_out, _HELD_OUT_FAILURES),
    ):
        folder = asked.out / name

        def told(done: int, name: str = name, count: int = count) -> None:
            console.print(f"{name}: {min(done, count)} of {count} {what}", highlight=False)

        _fill(asked, folder, split, count=count, on_file=told)
        cases = mixed(list(read_cases(folder)), Random(asked.seed), failures=failures)
        write_cases(target, name, cases)
        counts.append(len(cases))
    return counts[0], counts[1]


def _fill(
    asked: DrawnSet, folder: Path, split: Split, *, count: int, on_file: Callable[[int], None]
) -> None:
    if asked.planner is None:
        draw_cases(
            lambda: BatchArtist(asked.generator), folder, split,
            count=count, seed=asked.seed, on_file=on_file,
        )  # fmt: skip
        return
    artist = LocalArtist(asked.generator)
    stage_cases(
        Agents(asked.planner), lambda: Studio(lambda: artist), folder, split,
        requests=count, seed=asked.seed, on_file=on_file,
    )  # fmt: skip
