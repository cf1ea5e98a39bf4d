"""One supervised fine-tuning run: data, model, TRL's trainer, export.

Stopped at any moment it goes on from its last checkpoint. Not here: options (``cli``).
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from transformers import TrainerCallback
from transformers.trainer_utils import get_last_checkpoint
from trl import SFTConfig, SFTTrainer

from services.trainer.sft.metrics import MetricsFile, forget_after
from services.trainer.sft.models import Start, export, freeze_vision, load_model
from services.trainer.sft.presets import SftSettings, accumulation
from services.trainer.sft.ranks import check_ranks
from services.trainer.sft.rows import load_rows


@dataclass(frozen=True, slots=True)
class SftRun:
    """What is trained on what, and where it goes."""

    settings: SftSettings
    data: Path
    out: Path
    steps: int | None = None
    """Stop after so many steps; None: after the preset's epochs."""
    scratch: bool = False
    reduced: bool = False
    resume: bool = True
    ranks: int = 1


def train(run: SftRun, console: Console) -> Path:
    """Train and export; gives the folder of the model.

    Raises:
        BenchmarkDataError: Data, model or the number of ranks is not what was asked.
    """
    rows = load_rows(run.data)
    start = Start(
        run.settings.model, run.settings.dtype, run.scratch, run.reduced, run.settings.seed
    )
    model, processor = load_model(start)
    # TRL counts the tokens of a whole step only if the model seems to take that number; without
    # it every small batch weighs alike, and the loss depends on how a step is divided.
    model.accepts_loss_kwargs = True
    if run.settings.freeze_vision:
        freeze_vision(model)
    trainer = SFTTrainer(
        model=model, args=_arguments(run), train_dataset=rows, processing_class=processor,
        callbacks=callbacks(run.out, console),
    )  # fmt: skip
    check_ranks(run.ranks, trainer.accelerator.num_processes)
    trainer.train(resume_from_checkpoint=beginning(trainer, run.out, resume=run.resume))
    return finish(trainer, run.out)


def callbacks(out: Path, console: Console) -> list[TrainerCallback]:
    """What every run tells."""
    return [MetricsFile(out / "metrics.jsonl", console)]


def beginning(trainer: SFTTrainer, out: Path, *, resume: bool) -> str | None:
    """Where to go on; what was told of later steps is forgotten, and of all if it starts anew."""
    with trainer.accelerator.main_process_first():
        if not resume and trainer.accelerator.is_main_process:
            shutil.rmtree(out / "checkpoints", ignore_errors=True)
        checkpoint = last_checkpoint(out)
        if trainer.accelerator.is_main_process:
            forget_after(out / "metrics.jsonl", step_of(checkpoint))
    return checkpoint


def step_of(checkpoint: str | None) -> int | None:
    """How many steps a checkpoint has behind it."""
    return None if checkpoint is None else int(checkpoint.rpartition("-")[2])


def last_checkpoint(out: Path) -> str | None:
    """Where to go on, if anywhere; what a full disk or a crash left of a checkpoint is removed."""
    folder = out / "checkpoints"
    while folder.is_dir() and (newest := get_last_checkpoint(str(folder))):
        if _is_whole(Path(newest)):
            return newest
        shutil.rmtree(newest)
    return None


def _is_whole(checkpoint: Path) -> bool:
    """Whether its last file was written to the end."""
    try:
        json.loads((checkpoint / "trainer_state.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return True


def log_steps(usual: int, steps: int | None) -> int:
    """Short runs tell of every step."""
    return 1 if steps is not None and steps <= usual else usual


def finish(trainer: SFTTrainer, out: Path) -> Path:
    """Export the model from the first rank."""
    folder = out / "model"
    accelerator = trainer.accelerator
    if accelerator.num_processes > 1 and trainer.is_fsdp_enabled:
        # Weights are in pieces: the trainer gathers them, in the dtype they have.
        trainer.save_model(str(folder))
    elif accelerator.is_main_process:
        model = accelerator.unwrap_model(trainer.model)
        export(model, trainer.processing_class, folder, half=not torch.cuda.is_available())
    accelerator.wait_for_everyone()
    return folder


def _arguments(run: SftRun) -> SFTConfig:
    settings = run.settings
    cuda = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(run.out / "checkpoints"),
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.scheduler,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        num_train_epochs=settings.epochs,
        max_steps=run.steps or -1,
        per_device_train_batch_size=settings.batch_per_device,
        gradient_accumulation_steps=accumulation(
            settings.batch, settings.batch_per_device, run.ranks
        ),
        activation_checkpointing=settings.gradient_checkpointing,
        max_grad_norm=settings.max_grad_norm,
        logging_steps=log_steps(settings.log_steps, run.steps),
        logging_nan_inf_filter=False,
        save_steps=settings.save_steps,
        save_total_limit=2,
        seed=settings.seed,
        bf16=cuda and settings.dtype == "bfloat16",
        use_cpu=not cuda,
        max_length=None,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=cuda,
    )
