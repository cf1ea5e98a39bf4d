"""Measures the critic on held-out pictures during training: verdicts, repairs, samples to see.

Greedy answers, drawn and marked like those in training. Every rank judges its share. Not here:
the rewards of training (``reward_function``).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

import torch
from accelerate.utils import gather_object
from datasets import Dataset
from PIL import Image
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from trl.models import unwrap_model_for_generation

from services.trainer.data.contact import Cell, write_sheet
from services.trainer.grpo.assessing import Assessed, Assessor, Case
from services.trainer.grpo.quick import as_patches
from services.trainer.grpo.reward_function import case_of
from services.trainer.grpo.rollouts import Choosing, Prompt, answers
from services.trainer.sft.metrics import write_metrics

_SAMPLES = 8
_BATCH = 32
_HELD_OUT_SEED = 0


class HeldOut(TrainerCallback):
    """Judges the held-out pictures before the first step and every so many steps."""

    def __init__(
        self,
        rows: Dataset,
        assessor: Assessor,
        out: Path,
        *,
        every: int,
        max_tokens: int,
        quick: bool = False,
    ) -> None:
        self.trainer: Any = None
        """Set once there is one: the trainer is made with its callbacks."""
        self._rows = rows
        self._assessor = assessor
        self._out = out
        self._every = every
        self._max_tokens = max_tokens
        self._answer = quick_answer if quick else answer

    def on_train_begin(
        self,
        args: TrainingArguments,  # noqa: ARG002 - the trainer's signature
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **_: object,
    ) -> None:
        """Measure where training starts from."""
        if state.global_step == 0:
            self._measure(0)

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **_: object,
    ) -> None:
        """Measure when it is time, and after the last step."""
        if state.global_step % self._every == 0 or state.global_step == state.max_steps:
            self._measure(state.global_step)

    def _measure(self, step: int) -> None:
        accelerator = self.trainer.accelerator
        mine = self._rows.select(
            range(accelerator.process_index, len(self._rows), accelerator.num_processes)
        )
        cases = [case_of(row) for row in mine]
        replies = self._replies(mine)
        work = self._assessor.assess_all(cases, replies, seed=_HELD_OUT_SEED)
        assessed = self._assessor.submit(work).result()
        numbers = gather_object([_numbers(each) for each in assessed])
        if accelerator.is_main_process:
            write_metrics(self._out / "metrics.jsonl", {"step": step, **held_out(numbers)})
            write_samples(cases, assessed, self._out / "samples" / f"step_{step:05d}.png")

    def _replies(self, rows: Dataset) -> list[str]:
        """Greedy answers."""
        trainer = self.trainer
        replies: list[str] = []
        with (
            unwrap_model_for_generation(trainer.model_wrapped, trainer.accelerator) as model,
            torch.no_grad(),
        ):
            was_training = model.training
            model.eval()
            for at in range(0, len(rows), _BATCH):
                some = [rows[n] for n in range(at, min(at + _BATCH, len(rows)))]
                replies += self._answer(model, trainer.processing_class, some, self._max_tokens)
            model.train(was_training)
        return replies


def answer(
    model: Any,  # noqa: ANN401 - a model as the trainer has it
    processor: Any,  # noqa: ANN401
    rows: Sequence[dict[str, Any]],
    max_tokens: int,
) -> list[str]:
    """The likeliest answers to some rows' prompts."""
    texts = [
        processor.tokenizer.apply_chat_template(
            row["prompt"], tokenize=False, add_generation_prompt=True
        )
        for row in rows
    ]
    inputs = processor(
        text=texts, images=[row["images"] for row in rows], padding=True, padding_side="left",
        return_tensors="pt", add_special_tokens=False,
    ).to(model.device)  # fmt: skip
    made = model.generate(**inputs, max_new_tokens=max_tokens, do_sample=False)
    new = made[:, inputs["input_ids"].shape[1] :]
    return list(processor.tokenizer.batch_decode(new, skip_special_tokens=True))


def quick_answer(
    model: Any,  # noqa: ANN401
    processor: Any,  # noqa: ANN401
    rows: Sequence[dict[str, Any]],
    max_tokens: int,
) -> list[str]:
    """The same for models and pictures of Sketchbook's size."""
    asked = [_asked(processor, row) for row in rows]
    choosing = Choosing(max_tokens, frozenset({processor.tokenizer.eos_token_id}))
    made = answers(model, asked, choosing)
    return list(processor.tokenizer.batch_decode(made, skip_special_tokens=True))


def _asked(processor: Any, row: dict[str, Any]) -> Prompt:  # noqa: ANN401
    text = processor.tokenizer.apply_chat_template(
        row["prompt"], tokenize=False, add_generation_prompt=True
    )
    seen = processor(text=[text], images=[row["images"]], add_special_tokens=False)
    return Prompt(seen["input_ids"][0], as_patches(seen["pixel_values"]))


Numbers = dict[str, bool]


def _numbers(each: Assessed) -> Numbers:
    outcome = each.outcome
    return {
        "right": outcome.verdict == outcome.truth,
        "readable": outcome.verdict is not None,
        "failure": not outcome.truth,
        "repaired": each.repaired,
        "failed": bool(each.problem),
    }


def held_out(numbers: Sequence[Numbers]) -> dict[str, float]:
    """The measures, with the numbers of cases behind them.

    A failure whose reply cannot be read, or that is passed, is redrawn from what the critic gave
    (or not at all) and counts as any other: not repaired unless the new picture is right.
    """
    found = {
        "heldout/n": float(len(numbers)),
        "heldout/verdict_accuracy": fmean(each["right"] for each in numbers),
        "heldout/readable": fmean(each["readable"] for each in numbers),
    }
    failures = [each for each in numbers if each["failure"]]
    if failures:
        found["heldout/failures"] = float(len(failures))
        found["heldout/repair_rate"] = fmean(each["repaired"] for each in failures)
        found["heldout/redrawing_failed"] = fmean(each["failed"] for each in failures)
    return found


def write_samples(cases: Sequence[Case], assessed: Sequence[Assessed], target: Path) -> None:
    """Before, judged picture and new picture of a few cases, with verdict and prompt."""
    target.parent.mkdir(parents=True, exist_ok=True)
    pairs = list(zip(cases, assessed, strict=True))[:_SAMPLES]
    with TemporaryDirectory() as name:
        rows = [_cells(case, each, Path(name), n) for n, (case, each) in enumerate(pairs)]
        write_sheet(rows, target)


def _cells(case: Case, each: Assessed, folder: Path, number: int) -> list[Cell]:
    said = each.said
    verdict = "unreadable" if said is None else str(said.previous_step_success).lower()
    words = f"truth {str(case.truth).lower()}, said {verdict}"
    cells = [
        Cell(_kept(case.before, folder / f"{number}b.png"), case.plan_prompt),
        Cell(_kept(case.after, folder / f"{number}a.png"), words, case.truth),
    ]
    if each.picture is not None and said is not None:
        kept = _kept(each.picture, folder / f"{number}n.png")
        cells.append(Cell(kept, said.refine_prompt or case.used_prompt, each.repaired))
    return cells


def _kept(png: bytes | None, path: Path) -> Path | None:
    if png is None:
        return None
    with Image.open(io.BytesIO(png)) as image:
        image.save(path)
    return path
