"""Draws with an exported folder through the real pipeline, and judges with the grader.

Here live the loading of a folder as any service would load it, drawing a sample's picture, and
the measured quality with its interval. Not here: the quick measure in latents (``evaluate``).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline
from numpy.typing import NDArray
from PIL import Image

from services.trainer.sketchbook.generator.evaluate import kind_of
from services.trainer.sketchbook.generator.model import CALL_ARGUMENTS
from services.trainer.sketchbook.grader import grade
from services.trainer.sketchbook.language import outcomes_of
from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.samples import GeneratorSample

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Share:
    """A measured share with its 95 % Wilson interval."""

    right: int
    count: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.right / self.count

    def interval(self) -> tuple[float, float]:
        """The lower and upper end."""
        z, count = 1.96, self.count
        middle = (self.value + z * z / (2 * count)) / (1 + z * z / count)
        spread = self.value * (1 - self.value) / count + z * z / (4 * count * count)
        half = z * math.sqrt(spread) / (1 + z * z / count)
        return max(0.0, middle - half), min(1.0, middle + half)


class PipelineArtist:
    """Draws pictures with an exported folder."""

    def __init__(self, folder: Path) -> None:
        """Load the folder; it is called as it was trained."""
        self.arguments: dict[str, Any] = dict(CALL_ARGUMENTS)
        self.arguments["text_encoder_out_layers"] = tuple(self.arguments["text_encoder_out_layers"])
        self.pipeline: Any = DiffusionPipeline.from_pretrained(folder, dtype=torch.float32)
        self.pipeline.set_progress_bar_config(disable=True)

    def draw(self, sample: GeneratorSample, *, seed: int) -> Picture:
        """The picture for a sample's prompt and, where it has one, its picture before."""
        source = {} if sample.before is None else {"image": Image.fromarray(render(sample.before))}
        drawn = self.pipeline(
            prompt=sample.prompt, generator=torch.Generator().manual_seed(seed),
            **source, **self.arguments,
        ).images[0]  # fmt: skip
        return np.asarray(drawn)


def measure(
    artist: PipelineArtist, samples: Sequence[GeneratorSample], *, seed: int
) -> dict[str, Share]:
    """The share of right pictures by kind of prompt."""
    verdicts: dict[str, list[bool]] = defaultdict(list)
    for number, sample in enumerate(samples):
        picture = artist.draw(sample, seed=seed + number)
        accepted = outcomes_of(sample.before, sample.prompt)
        verdicts[kind_of(sample)].append(grade(sample.before, accepted, picture).success)
    return {kind: Share(sum(right), len(right)) for kind, right in sorted(verdicts.items())}
