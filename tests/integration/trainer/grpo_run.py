"""A GRPO run whose pictures come from a fake drawer: ``... DATA OUT STEPS``."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from services.trainer.data.scoring import GraderScorer
from services.trainer.grpo.assessing import Assessor
from services.trainer.grpo.settings import load_preset
from services.trainer.grpo.training import GrpoRun, train
from services.trainer.sft.cli import told_plainly
from services.trainer.sft.presets import Preset
from tests.fakes.drawers import DrawsAtOnce


def main(data: Path, out: Path, steps: int) -> None:
    """Train so many steps."""
    changes: dict[str, object] = {
        "prompts": 2,
        "group": 2,
        "batch_per_device": 4,
        "max_completion_tokens": 24,
        "held_out_rows": 2,
        "held_out_steps": 2,
        "save_steps": 1,
    }
    settings = load_preset(Preset.SKETCHBOOK, changes)
    run = GrpoRun(settings, data, out, steps=steps)
    with told_plainly():
        train(run, Assessor(DrawsAtOnce(), GraderScorer()), Console())


if __name__ == "__main__":
    typer.run(main)
