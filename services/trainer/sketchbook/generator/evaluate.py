"""Measures the generator on prompts and scenes it was not trained on.

Here live the quick measure in latents that training logs, and the slow one that draws real
pictures with the pipeline and reads them with the grader. Not here: what counts as a right
outcome of a prompt (``samples.acceptable``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from random import Random

import numpy as np
import torch

from services.trainer.sketchbook.generator.codes import numbered_scene, scene_numbers
from services.trainer.sketchbook.generator.model import TEXT_LENGTH, TOKEN_CHANNELS, Painter
from services.trainer.sketchbook.generator.text import token_rows
from services.trainer.sketchbook.generator.workshop import Workshop
from services.trainer.sketchbook.language import Split
from services.trainer.sketchbook.samples import GeneratorSample, acceptable, generator_sample
from services.trainer.sketchbook.world import PLACES, Scene

_BATCH = 64


def heldout_samples(*, count: int, seed: int, split: Split) -> list[GeneratorSample]:
    """Samples whose seed no training sample shares."""
    rng = Random(f"generator-heldout-{seed}")
    return [generator_sample(rng, split) for _ in range(count)]


def kind_of(sample: GeneratorSample) -> str:
    """The heading a sample is counted under."""
    return "text" if sample.before is None else str(sample.style)


def latent_exactness(
    painter: Painter, workshop: Workshop, *, samples: int, seed: int, split: Split = Split.TRAIN
) -> dict[str, float]:
    """The share of pictures drawn exactly right, by kind, judged by the nearest tiles."""
    drawn = heldout_samples(count=samples, seed=seed, split=split)
    found: dict[str, list[bool]] = defaultdict(list)
    for from_text in (True, False):
        group = [sample for sample in drawn if (sample.before is None) == from_text]
        for start in range(0, len(group), _BATCH):
            batch = group[start : start + _BATCH]
            for sample, scene in zip(batch, _drawn_scenes(painter, workshop, batch), strict=True):
                right = acceptable(sample.before, sample.prompt, scene)
                found[kind_of(sample)].append(right)
    return {kind: sum(right) / len(right) for kind, right in sorted(found.items())}


def _drawn_scenes(
    painter: Painter, workshop: Workshop, samples: Sequence[GeneratorSample]
) -> list[Scene]:
    tokens = token_rows(workshop.tokenizer, [sample.prompt for sample in samples],
                        length=TEXT_LENGTH)  # fmt: skip
    before = [scene_numbers(sample.before) for sample in samples if sample.before is not None]
    reference = workshop.table.look_up(np.stack(before)) if before else None
    generator = torch.Generator().manual_seed(len(samples))
    noise = torch.randn(len(samples), len(PLACES), TOKEN_CHANNELS, generator=generator)
    device = next(painter.parameters()).device
    latents = painter.draw(
        torch.from_numpy(tokens.astype(np.int64)).to(device), noise.to(device),
        reference=None if reference is None else reference.to(device),
    )  # fmt: skip
    return [numbered_scene(numbers) for numbers in workshop.table.read(latents.cpu())]
