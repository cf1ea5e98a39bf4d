"""One RL run: data, policy, TRL's GRPO with our reward, held-out measures, export.

Stopped at any moment it goes on from its last checkpoint. Not here: options (``cli``), drawing
and marking (``assessing``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from transformers import Qwen3VLForConditionalGeneration, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from services.trainer.benchmarks.records import BenchmarkDataError
from services.trainer.grpo.assessing import Assessor
from services.trainer.grpo.heldout import HeldOut
from services.trainer.grpo.quick import QuickTrainer
from services.trainer.grpo.reward_function import CriticReward
from services.trainer.grpo.settings import GrpoSettings
from services.trainer.sft.models import Start, export, freeze_vision, load_model
from services.trainer.sft.presets import accumulation
from services.trainer.sft.processor import PictureProcessor
from services.trainer.sft.ranks import check_ranks
from services.trainer.sft.rows import HELD_OUT, load_rows
from services.trainer.sft.training import beginning, callbacks, finish, log_steps


@dataclass(frozen=True, slots=True)
class GrpoRun:
    """What is trained on what, and where it goes."""

    settings: GrpoSettings
    data: Path
    out: Path
    steps: int | None = None
    scratch: bool = False
    reduced: bool = False
    resume: bool = True
    ranks: int = 1


def train(
    run: GrpoRun, assessor: Assessor, console: Console, *, loop: type[GRPOTrainer] | None = None
) -> Path:
    """Train and export; gives the folder of the model. ``loop`` replaces the usual one.

    Raises:
        BenchmarkDataError: Data, model or the number of ranks is not what was asked.
    """
    settings = run.settings
    rows = load_rows(run.data).remove_columns("completion")
    policy, processor = _policy(run)
    rewarding = assessor if settings.draws else Assessor(None, assessor.scorer)
    reward = CriticReward(
        rewarding, settings.form, settings.weights, marking=settings.marking, seed=settings.seed
    )
    told: list[TrainerCallback] = callbacks(run.out, console)
    measuring = _measuring(run, assessor)
    kind = loop or (QuickTrainer if is_quick(run) else GRPOTrainer)
    trainer = kind(
        model=policy, args=_arguments(run), train_dataset=rows, processing_class=processor,
        reward_funcs=[reward], callbacks=[*told, *measuring],
    )  # fmt: skip
    for callback in measuring:
        callback.trainer = trainer
    check_ranks(run.ranks, trainer.accelerator.num_processes)
    trainer.train(resume_from_checkpoint=beginning(trainer, run.out, resume=run.resume))
    return finish(trainer, run.out)


def is_quick(run: GrpoRun) -> bool:
    """Whether the run can be, and is to be, as quick as small models allow."""
    alone = run.ranks == 1 and not run.reduced and not torch.cuda.is_available()
    return run.settings.quick and alone and run.settings.kl == 0


def _policy(run: GrpoRun) -> tuple[Qwen3VLForConditionalGeneration, PictureProcessor]:
    """The policy; with a KL term its start is loaded again by TRL, so it must lie in a folder."""
    settings = run.settings
    start = Start(settings.model, settings.dtype, run.scratch, run.reduced, settings.seed)
    model, processor = load_model(start)
    if (run.scratch or run.reduced) and settings.kl > 0:
        folder = run.out / "start"
        if not (folder / "config.json").exists():
            export(model, processor, folder, half=False)
        model, processor = load_model(Start(str(folder), settings.dtype))
    if settings.freeze_vision:
        freeze_vision(model)
    return model, processor


def _measuring(run: GrpoRun, assessor: Assessor) -> list[HeldOut]:
    settings = run.settings
    if settings.held_out_rows == 0:
        return []
    try:
        rows = load_rows(run.data, HELD_OUT, limit=settings.held_out_rows)
    except BenchmarkDataError:
        # A small data set may hold out nothing; training goes on without the measure.
        return []
    return [
        HeldOut(
            rows, assessor, run.out, every=settings.held_out_steps,
            max_tokens=settings.max_completion_tokens, quick=is_quick(run),
        )
    ]  # fmt: skip


def _arguments(run: GrpoRun) -> GRPOConfig:
    settings = run.settings
    cuda = torch.cuda.is_available()
    steps_a_batch = accumulation(settings.batch, settings.batch_per_device, run.ranks)
    return GRPOConfig(
        output_dir=str(run.out / "checkpoints"),
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.scheduler,
        warmup_steps=settings.warmup,
        num_train_epochs=settings.epochs,
        max_steps=run.steps or -1,
        per_device_train_batch_size=settings.batch_per_device,
        gradient_accumulation_steps=steps_a_batch,
        num_generations=settings.group,
        num_iterations=settings.iterations,
        max_completion_length=settings.max_completion_tokens,
        temperature=settings.temperature,
        beta=settings.kl,
        epsilon=settings.clip,
        epsilon_high=settings.clip_high,
        loss_type=settings.loss,
        scale_rewards=settings.scale,
        activation_checkpointing=settings.gradient_checkpointing,
        max_grad_norm=settings.max_grad_norm,
        logging_steps=log_steps(settings.log_steps, run.steps),
        save_steps=settings.save_steps,
        save_total_limit=2,
        seed=settings.seed,
        bf16=cuda and settings.dtype == "bfloat16",
        use_cpu=not cuda,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=cuda,
    )
