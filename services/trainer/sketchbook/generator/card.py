"""The model card that goes with an exported generator.

Here live the facts of a run and the text made of them. Not here: the measuring (``drawing``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from services.trainer.sketchbook.generator.drawing import Share
from services.trainer.sketchbook.generator.loop import TrainConfig
from services.trainer.sketchbook.generator.model import TEXT_LENGTH
from services.trainer.sketchbook.language import Split

_KINDS = {
    "text": "a described scene, from text alone",
    "precise": "one edit, precisely worded",
    "relative": "one edit, placed relative to a thing",
    "vague": "vague edits, and two edits at once",
}


@dataclass(frozen=True, slots=True)
class Run:
    """The facts of a training run."""

    steps: int
    minutes: float
    decoder_steps: int
    decoder_minutes: float
    config: TrainConfig
    data_sha256: str
    history: str = ""

    @classmethod
    def of_folder(cls, folder: Path, *, config: TrainConfig, data_sha256: str) -> Self:
        """Read what the run's metrics files say."""
        painter = _last_entry(folder / "metrics.jsonl")
        decoder = _last_entry(folder / "decoder-metrics.jsonl")
        return cls(
            steps=int(painter["step"]), minutes=painter["seconds"] / 60,
            decoder_steps=int(decoder["step"]), decoder_minutes=decoder["seconds"] / 60,
            config=config, data_sha256=data_sha256,
        )  # fmt: skip


def write_card(folder: Path, *, run: Run, shares: Mapping[Split, Mapping[str, Share]]) -> None:
    """Write the folder's README."""
    text = _TEXT.format(
        length=TEXT_LENGTH, steps=run.steps, batch=run.config.batch_size,
        samples=run.steps * run.config.batch_size,
        rate=run.config.learning_rate, matrix_rate=run.config.matrix_rate,
        seed=run.config.seed, minutes=round(run.minutes),
        decoder_steps=run.decoder_steps, decoder_minutes=round(run.decoder_minutes),
        sha=run.data_sha256, cores=os.cpu_count(), history=run.history, quality=_table(shares),
    )  # fmt: skip
    (folder / "README.md").write_text(text)


def _last_entry(path: Path) -> dict[str, float]:
    return json.loads(path.read_text().splitlines()[-1])


def _table(shares: Mapping[Split, Mapping[str, Share]]) -> str:
    lines = ["| prompt | phrasing | right | n | 95 % interval |", "| --- | --- | --- | --- | --- |"]
    for split, kinds in shares.items():
        for kind, share in kinds.items():
            low, high = share.interval()
            lines.append(
                f"| {_KINDS[kind]} | {split} | {share.value:.3f} | {share.count} "
                f"| {low:.3f} to {high:.3f} |"
            )
    return "\n".join(lines)


_TEXT = """\
---
pipeline_tag: image-to-image
library_name: diffusers
---
# Sketchbook generator

A `Flux2KleinPipeline` of toy size that draws and edits pictures of the Sketchbook world: 128 x 128
pixels, 4 x 4 places, 166 things, 31 backgrounds. It exists so that the whole system runs for real
without a GPU or a download. It draws nothing else.

## Calling it
`interleave.json` says what to pass: 4 steps, guidance 1.0, 128 x 128, text padded to
{length} tokens, text layers 1 to 3. Edits take one picture of 128 x 128.

## Measured quality
Pictures drawn by this folder through `DiffusionPipeline.from_pretrained` at 4 steps and read by the
grader, all 16 places and the background: right means exactly as asked, nothing else touched. The
scenes and seeds are not in the training data; "heldout" phrasings are not either.

{quality}

## Parts
- Autoencoder (`AutoencoderKLFlux2`, factor 16, 32 channels): the encoder is not trained; its
  weights are set so that it computes principal components of 16 px squares exactly, and it has no
  noise. The decoder was trained on tiles of all backgrounds and things with a little noise on
  their latents: {decoder_steps} steps, {decoder_minutes} minutes.
- Transformer (`Flux2Transformer2DModel`, 2 double and 4 single layers, 4 heads of 32) and text
  encoder (`Qwen3ForCausalLM`, 3 layers, width 128), trained from scratch together by flow
  matching: Muon at {matrix_rate} for the matrices in the blocks and AdamW at {rate} for the rest,
  plateau then cosine, batch {batch}, {steps} steps ({samples} samples), running
  average 0.999, logit-normal noise levels shifted by 3; changed places and places with things
  count more.{history}
- Tokenizer: byte-level BPE fitted on the world's sentences.

## Data
Random scenes and edits of the world (`services/trainer/sketchbook/samples.py`) with training
phrasings, seven in ten of them reworded (`rewording.py`, which keeps clear of the held-out ones);
15 % of the samples, and more of the steps, draw from text alone. SHA-256 of the drawn samples:
`{sha}`.

## Training
Seed {seed}; {minutes} minutes on a share of {cores} CPU cores, no GPU. To repeat:
`python -m services.trainer.sketchbook.generator.train`.

## Limits
- Vague and double instructions, and places named relative to a thing, go wrong about one time in
  five: a more precise prompt helps. That is left as it is, so that a critic has something to do.
- Only the words of the Sketchbook language are known; other text gives some picture of that world.
- Pictures not drawn by this world's renderer are not understood.
"""
