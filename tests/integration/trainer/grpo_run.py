"""A GRPO run whose pictures come from a fake drawer: ``... DATA OUT STEPS``."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from services.trainer.data.scoring import GraderScorer
from services.trainer.grpo.assessing import Assessor
from services.trainer.grpo.settings import load_preset
from services.trainer.grpo.training import GrpoRun, train
from services.trainer.sft.presets import Preset
from tests.fakes.drawers import DrawsAtOnce

if __name__ == "__main__":
    data, out, steps = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
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
    train(
        GrpoRun(settings, data, out, steps=steps),
        Assessor(DrawsAtOnce(), GraderScorer()),
        Console(),
    )
