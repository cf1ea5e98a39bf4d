"""A handful of Sketchbook verdicts as a data set, made in a second."""

from __future__ import annotations

from pathlib import Path
from random import Random

from services.trainer.data.critic_rows import CriticRow
from services.trainer.data.datasets import Writer
from services.trainer.data.folder import DataFolder
from services.trainer.data.records import Score
from services.trainer.data.world import png
from services.trainer.sketchbook.samples import critic_sample
from services.trainer.sketchbook.wording import Split
from shared.prompts.pack import load_pack


def write_critic_sets(root: Path, *, count: int) -> tuple[Path, Path]:
    """The data sets for SFT and for RL, a quarter of them held out."""
    folder = DataFolder(root)
    rows = [_row(folder, number) for number in range(count)]
    writer = Writer(folder, load_pack("sketchbook"), 0.25)
    return writer.critic_sft(rows), writer.critic_rl(rows)


def _row(folder: DataFolder, number: int) -> CriticRow:
    rng = Random(number)
    sample = critic_sample(rng, Split.TRAIN, max_items=2)
    before = None
    if sample.before is not None:
        before = folder.keep(f"images/{number}_before.png", png(sample.before))
    return CriticRow(
        id=str(number),
        prompt_id=str(number),
        category="test",
        generator="test",
        before=before,
        after=folder.keep(f"images/{number}_after.png", png(sample.after)),
        plan_prompt=sample.original_prompt,
        used_prompt=sample.used_prompt,
        attempt=1,
        verdict=sample.success,
        truth=sample.success,
        refine_prompt=sample.refine_prompt,
        reasoning=sample.reason,
        score=Score(semantics=10.0 if sample.success else 4.0, quality=8.0),
    )
