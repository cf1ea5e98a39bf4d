"""Trains the tiny planner and critic: ``python -m ...agents.train base|critic|planner``.

One plain loop with a learning rate that follows the time budget, so that a stage takes the
minutes it is given on any machine; killed and started again it goes on from its checkpoint.
Not here: what is learned (``lessons``), the model (``model``), measuring (``evaluate``).
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast, Qwen3VLForConditionalGeneration

from services.trainer.sketchbook.agents.corpus import tokenizer_for
from services.trainer.sketchbook.agents.curriculum import STAGES, Stage
from services.trainer.sketchbook.agents.data import Encoded, batches
from services.trainer.sketchbook.agents.model import (
    IGNORE,
    Batch,
    new_model,
    save_folder,
    see,
    token_losses,
)
from services.trainer.sketchbook.agents.places import PlaceReaders

RUNS = Path("runs/agents")
_LOG_EVERY_S = 20.0
_SAVE_EVERY_S = 90.0
_WARM_UP_STEPS = 100
_MAX_NORM = 1.0
_COMPARING_WEIGHT = 0.3
_log = logging.getLogger("sketchbook.agents")


@dataclass(frozen=True, slots=True)
class Taught:
    """What one batch gave: the loss to learn from, places read right, and tokens one by one."""

    loss: Tensor
    read: float
    losses: Tensor | None = None
    hits: Tensor | None = None

    def told(self) -> Taught:
        """What may be counted: on the CPU, and free of the graph."""
        if self.losses is None or self.hits is None:
            return self
        return Taught(self.loss.detach(), self.read, self.losses.detach().cpu(), self.hits.cpu())


@dataclass(slots=True)
class Tally:
    """Running means per task since the last line of the log."""

    loss: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    right: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    decisions: int = 0
    decisions_right: int = 0
    count: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    batches: int = 0
    read: float = 0.0

    def add(self, encoded: Sequence[Encoded], batch: Batch, taught: Taught) -> None:
        """Count a batch: mean loss and whole answers right, by task; decisions apart."""
        self.batches += 1
        self.read += taught.read
        if taught.losses is None or taught.hits is None:
            return
        chosen = batch.labels[:, 1:] != IGNORE
        rows = torch.arange(len(encoded)).unsqueeze(1).expand_as(chosen)[chosen]
        miss = torch.zeros(len(encoded)).index_add_(0, rows, (~taught.hits).float())
        total = torch.zeros(len(encoded)).index_add_(0, rows, taught.losses)
        means = (total / chosen.sum(1)).tolist()
        for one, missed, mean in zip(encoded, miss.tolist(), means, strict=True):
            self.count[one.task] += 1
            self.right[one.task] += int(missed == 0)
            self.loss[one.task] += mean
        decisive = batch.weights[:, 1:][chosen] > 1
        self.decisions += int(decisive.sum())
        self.decisions_right += int(taught.hits[decisive].sum())

    def line(self) -> dict[str, float]:
        """The means, ready for the log."""
        found = {f"{task}.loss": round(self.loss[task] / n, 4) for task, n in self.count.items()}
        found |= {f"{task}.exact": round(self.right[task] / n, 3) for task, n in self.count.items()}
        if self.batches:
            found["places.right"] = round(self.read / self.batches, 4)
        if self.decisions:
            found["decisions.right"] = round(self.decisions_right / self.decisions, 3)
        return found


@dataclass(slots=True)
class Run:
    """The state of one stage, as its checkpoint keeps it."""

    stage: Stage
    folder: Path
    model: Qwen3VLForConditionalGeneration
    readers: PlaceReaders
    optimizer: torch.optim.Optimizer
    tokenizer: PreTrainedTokenizerFast
    device: str = "cpu"
    steps: int = 0
    samples: int = 0
    seconds: float = 0.0

    def save(self) -> None:
        """Write the checkpoint; a crash while writing leaves the old one."""
        state = {
            "model": self.model.state_dict(), "readers": self.readers.state_dict(),
            "optimizer": self.optimizer.state_dict(), "steps": self.steps, "samples": self.samples,
            "seconds": self.seconds,
        }  # fmt: skip
        half = self.folder / "checkpoint.part"
        torch.save(state, half)
        half.replace(self.folder / "checkpoint.pt")

    def load(self, path: Path, *, whole: bool) -> None:
        """Take weights from a checkpoint, and all the rest of it as well if ``whole``."""
        state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        weights = state["model"]
        if not whole and not self.stage.parent_speaks:
            weights = {name: value for name, value in weights.items() if ".visual." in name}
        self.model.load_state_dict(weights, strict=False)
        self.readers.load_state_dict(state["readers"], strict=False)
        if whole:
            if len(state["optimizer"]["param_groups"][0]["params"]) == len(
                self.optimizer.param_groups[0]["params"]
            ):
                self.optimizer.load_state_dict(state["optimizer"])
            self.steps, self.samples = state["steps"], state["samples"]
            self.seconds = state["seconds"]

    def factor(self, budget_s: float) -> float:
        """Share of the full learning rate: warm-up, plateau, and a straight end."""
        rising = min(1.0, (self.steps + 1) / _WARM_UP_STEPS)
        if self.stage.tail == 0:
            return rising
        left = max(0.0, 1.0 - self.seconds / budget_s)
        return rising * min(1.0, max(0.01, left / self.stage.tail))


def start(stage: Stage, *, runs: Path, seed: int) -> Run:
    """A new run of a stage, or the one its checkpoint holds."""
    folder = runs / stage.name
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer_for(runs, stage.start)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = new_model(tokenizer, seed)
    readers = PlaceReaders(model.config.text_config.hidden_size).to(device)
    model.to(device)  # pyright: ignore[reportArgumentType] - the stub knows modules only
    parameters = [*model.parameters(), *readers.parameters()]
    optimizer = torch.optim.AdamW(
        parameters, lr=stage.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    run = Run(stage, folder, model, readers, optimizer, tokenizer, device)
    own, parent = folder / "checkpoint.pt", runs / str(stage.parent) / "checkpoint.pt"
    if own.exists():
        run.load(own, whole=True)
    elif stage.start:
        finished = Qwen3VLForConditionalGeneration.from_pretrained(stage.start, dtype=torch.float32)
        model.load_state_dict(finished.state_dict())
    elif stage.parent:
        run.load(parent, whole=False)
    return run


def learn(run: Run, *, budget_s: float, seed: int) -> None:
    """Train until the stage has had its time."""
    rng = Random(f"{seed} {run.stage.name} {run.samples}")
    stream = batches(run.stage.tasks(run.folder.parent), run.tokenizer, rng, size=run.stage.batch)
    tally, logged, saved = Tally(), run.seconds, run.seconds
    run.model.train()
    while run.seconds < budget_s:
        began = time.monotonic()
        encoded, batch = next(stream)
        taught = _step(run, batch.to(run.device), budget_s=budget_s)
        tally.add(encoded, batch, taught.told())
        run.steps, run.samples = run.steps + 1, run.samples + len(encoded)
        run.seconds += time.monotonic() - began
        if run.seconds - logged > _LOG_EVERY_S:
            _write_line(run, tally)
            tally, logged = Tally(), run.seconds
        if run.seconds - saved > _SAVE_EVERY_S:
            run.save()
            saved = run.seconds
    run.save()


def _step(run: Run, batch: Batch, *, budget_s: float) -> Taught:
    for group in run.optimizer.param_groups:
        group["lr"] = run.stage.learning_rate * run.factor(budget_s)
    taught = _teach(run, batch)
    run.optimizer.zero_grad(set_to_none=True)
    taught.loss.backward()
    torch.nn.utils.clip_grad_norm_(run.model.parameters(), _MAX_NORM)
    run.optimizer.step()
    return taught


def _teach(run: Run, batch: Batch) -> Taught:
    frozen = run.stage.reading_weight == 0
    with (
        torch.set_grad_enabled(not frozen),
        torch.autocast(run.device, torch.bfloat16, enabled=frozen),
    ):
        seen = see(run.model, batch.patched) if batch.patched is not None else None
    loss, read = torch.zeros((), device=run.device), torch.ones(())
    if seen is not None and batch.place_labels is not None:
        loss, read = run.readers(seen.pooler_output[0].float(), batch.place_labels)
        loss = loss * run.stage.reading_weight
    if not run.stage.words:
        return Taught(loss, float(read))
    with _middle(run.model) as middle:
        losses, weights, hits = token_losses(run.model, batch, seen)
    if batch.changed is not None:
        tokens = middle[0][batch.ids == run.model.config.image_token_id]
        loss = loss + _COMPARING_WEIGHT * run.readers.compared(tokens, batch.changed)
    return Taught(loss + (losses * weights).sum() / weights.sum(), float(read), losses, hits)


@contextmanager
def _middle(model: Qwen3VLForConditionalGeneration) -> Iterator[list[Tensor]]:
    """Catches the hidden states half-way through the text model."""
    caught: list[Tensor] = []
    layers = model.model.language_model.layers
    handle = layers[len(layers) // 2 - 1].register_forward_hook(
        lambda _layer, _given, out: caught.append(out)
    )
    try:
        yield caught
    finally:
        handle.remove()


def _write_line(run: Run, tally: Tally) -> None:
    line = {"seconds": round(run.seconds), "steps": run.steps, "samples": run.samples}
    text = json.dumps(line | tally.line())
    with (run.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(text + "\n")
    _log.info(text)


def main() -> None:
    """Train one stage; ``--export`` also writes the finished folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=sorted(STAGES))
    parser.add_argument("--minutes", type=float, help="time budget, by default the stage's own")
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--export", type=Path, help="folder to write the model to")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    stage = STAGES[options.stage]
    run = start(stage, runs=options.runs, seed=options.seed)
    learn(run, budget_s=60 * (options.minutes or stage.minutes), seed=options.seed)
    if options.export:
        save_folder(run.model, run.tokenizer, options.export)


if __name__ == "__main__":
    main()
