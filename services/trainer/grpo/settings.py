"""Settings of an RL run: presets as data, each value open to the command line.

Not here: what is done with them (``training``).
"""

from __future__ import annotations

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from services.trainer.benchmarks.records import BenchmarkDataError
from services.trainer.rewards import PUBLISHED, TIME_LIMIT_S, Marking, RewardForm, Weights
from services.trainer.sft.presets import Preset
from shared.contracts.wire import Wire

_PRESETS = Path(__file__).parent / "presets"


class Ablation(StrEnum):
    """Which part of the reward is left out."""

    NONE = "none"
    NO_STEP = "no-step"
    NO_ACCURACY = "no-accuracy"


class GrpoSettings(Wire):
    """How the critic is trained."""

    model: str
    dtype: str = "float32"
    learning_rate: float = Field(gt=0)
    scheduler: str = "constant"
    warmup: float = Field(default=0.0, ge=0, lt=1)
    epochs: float = Field(default=1.0, gt=0)
    prompts: int = Field(default=16, ge=1)
    """Pictures to judge a step, over all ranks."""
    group: int = Field(default=8, ge=2)
    """Replies to each."""
    batch_per_device: int = Field(default=8, ge=1)
    """Replies a rank learns from at once."""
    max_completion_tokens: int = Field(default=200, ge=1)
    temperature: float = Field(default=1.0, gt=0)
    kl: float = Field(default=1e-3, ge=0)
    """Weight of the divergence from the starting point. Paper 1e-3, released configuration 0."""
    clip: float = Field(default=0.2, gt=0)
    clip_high: float | None = None
    """Upper clip where it differs from the lower."""
    iterations: int = Field(default=1, ge=1)
    """Times a step's replies are learned from."""
    loss: str = "grpo"
    scale: Literal["group", "batch", "none"] = "group"
    """What advantages are divided by: the spread of their group's rewards, of the whole batch's,
    or nothing. By group, replies that differ by a trifle count as much as a repair."""
    freeze_vision: bool = True
    gradient_checkpointing: bool = False
    max_grad_norm: float = 1.0
    save_steps: int = Field(default=50, ge=1)
    log_steps: int = Field(default=1, ge=1)
    held_out_steps: int = Field(default=20, ge=1)
    held_out_rows: int = Field(default=64, ge=0)
    """Pictures of the held-out set that are judged during training; 0 judges none."""
    form: RewardForm = RewardForm.PAPER
    marking: Marking = Marking.GRADED
    accuracy: float = Field(default=PUBLISHED.accuracy, ge=0, le=1)
    """The verdict's share in the reward beside the step's, a."""
    ablation: Ablation = Ablation.NONE
    time_limit_s: float = Field(default=TIME_LIMIT_S, gt=0)
    """For drawing and marking one picture."""
    draws_per_replica: int = Field(default=8, ge=1)
    quick: bool = False
    """Leave out what teaches nothing; for models of Sketchbook's size without a KL term."""
    seed: int = 0

    @property
    def batch(self) -> int:
        """Replies a step, over all ranks."""
        return self.prompts * self.group

    @property
    def weights(self) -> Weights:
        """Shares of the reward's parts."""
        if self.ablation is Ablation.NO_STEP:
            return PUBLISHED.without_step()
        if self.ablation is Ablation.NO_ACCURACY:
            return PUBLISHED.without_accuracy()
        return PUBLISHED.with_accuracy(self.accuracy)

    @property
    def draws(self) -> bool:
        """Whether the reward needs new pictures; held-out repairs do in any case."""
        return self.ablation is not Ablation.NO_STEP


def load_preset(preset: Preset, changes: dict[str, object] | None = None) -> GrpoSettings:
    """A preset with some values changed; None changes nothing.

    Raises:
        BenchmarkDataError: A value is not allowed.
    """
    values = tomllib.loads((_PRESETS / f"{preset.value}.toml").read_text("utf-8"))
    values |= {name: value for name, value in (changes or {}).items() if value is not None}
    try:
        return GrpoSettings.model_validate(values)
    except ValidationError as error:
        raise BenchmarkDataError(str(error)) from error
