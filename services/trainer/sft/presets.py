"""Settings of a training run: presets as data, each value open to the command line.

Not here: what is done with them (``training``).
"""

from __future__ import annotations

import tomllib
from enum import StrEnum
from pathlib import Path

from pydantic import Field, ValidationError

from services.trainer.benchmarks.records import BenchmarkDataError
from shared.contracts.wire import Wire

_PRESETS = Path(__file__).parent / "presets"


class Role(StrEnum):
    """Which agent."""

    PLANNER = "planner"
    CRITIC = "critic"


class Preset(StrEnum):
    """Which size."""

    SKETCHBOOK = "sketchbook"
    QWEN3VL_8B = "qwen3vl-8b"


class SftSettings(Wire):
    """How an agent is fine-tuned."""

    model: str
    """Folder or hub name; ``{role}`` becomes planner or critic."""
    dtype: str = "float32"
    learning_rate: float = Field(gt=0)
    warmup: float = Field(default=0.0, ge=0, lt=1)
    """Share of the steps over which the learning rate rises."""
    scheduler: str = "cosine"
    weight_decay: float = 0.0
    epochs: float = Field(default=2.0, gt=0)
    batch: int = Field(default=32, ge=1)
    """Rows a step, over all ranks."""
    batch_per_device: int = Field(default=1, ge=1)
    freeze_vision: bool = True
    """Vision tower and projector. Source: InterleaveThinker, SFT."""
    gradient_checkpointing: bool = False
    max_grad_norm: float = 1.0
    save_steps: int = Field(default=100, ge=1)
    log_steps: int = Field(default=10, ge=1)
    seed: int = 0

    def for_role(self, role: Role) -> SftSettings:
        """With the model's name filled in."""
        return self.model_copy(update={"model": self.model.replace("{role}", role.value)})


def load_preset(preset: Preset, changes: dict[str, object] | None = None) -> SftSettings:
    """A preset with some values changed; None changes nothing.

    Raises:
        BenchmarkDataError: A value is not allowed.
    """
    values = tomllib.loads((_PRESETS / f"{preset.value}.toml").read_text("utf-8"))
    values |= {name: value for name, value in (changes or {}).items() if value is not None}
    try:
        return SftSettings.model_validate(values)
    except ValidationError as error:
        raise BenchmarkDataError(str(error)) from error


def accumulation(batch: int, per_device: int, ranks: int) -> int:
    """How many small batches make a step.

    Raises:
        BenchmarkDataError: The batch cannot be divided among the ranks.
    """
    small = per_device * ranks
    if batch % small:
        raise BenchmarkDataError(
            f"a batch of {batch} cannot be made of {ranks} ranks with {per_device} rows each"
        )
    return batch // small
