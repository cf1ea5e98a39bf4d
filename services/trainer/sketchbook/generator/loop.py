"""Trains the generator's transformer and text encoder together on latents.

Here lives the training loop with its checkpoints. Not here: the command that runs it (``train``),
what a step sees (``batches``) and the decoder of the pictures (``decoder``).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from services.trainer.sketchbook.generator.batches import Batch, Batches, noise_levels
from services.trainer.sketchbook.generator.evaluate import latent_exactness
from services.trainer.sketchbook.generator.journal import Journal
from services.trainer.sketchbook.generator.model import Painter, Size
from services.trainer.sketchbook.generator.workshop import Workshop

_BLOCK_MARKS = ("blocks.", "layers.")
_MATRIX = 2


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """The recipe of one training run."""

    steps: int = 7000
    seconds: float = math.inf
    """The run ends, and the learning rate with it, at the last step or after this time."""
    batch_size: int = 64
    learning_rate: float = 1.5e-3
    matrix_rate: float = 3.75e-3
    warm_up_steps: int = 200
    hold_share: float = 0.65
    weight_decay: float = 0.01
    average_decay: float = 0.999
    seed: int = 7
    size: Size = field(default_factory=Size)
    bf16: bool = True
    compiled: bool = True
    log_every: int = 25
    save_every: int = 250
    evaluate_every: int = 500
    evaluated_samples: int = 256


class Trainer:
    """One run: the model, its running average, the optimiser, and where it stands."""

    def __init__(self, config: TrainConfig, workshop: Workshop, run_folder: Path) -> None:
        """Start afresh, or go on from the folder's checkpoint."""
        self.config, self.workshop, self.folder = config, workshop, run_folder
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(config.seed)
        self.painter = self._new_painter()
        self.average = self._new_painter().requires_grad_(requires_grad=False)
        self.average.load_state_dict(self.painter.state_dict())
        self.optimisers = new_optimisers(self.painter, config)
        self.step, self.optimised_from, self.seconds = 0, 0, 0.0
        self._loss = torch.compile(self._plain_loss, dynamic=False)
        self._resume()
        self.journal = Journal(run_folder / "metrics.jsonl", total_steps=config.steps)

    def run(self) -> None:
        """Train to the last step."""
        with self.journal:
            self._run()

    def _run(self) -> None:
        config = self.config
        batches = Batches(
            self.workshop.pool, self.workshop.table,
            pad_token=self.workshop.pad_token, size=config.batch_size, seed=config.seed,
        )  # fmt: skip
        losses: list[float] = []
        while not self._finished():
            started = time.monotonic()
            losses.append(self._train_on(batches.at(self.step)))
            self.step += 1
            self.seconds += time.monotonic() - started
            if self.step % config.log_every == 0:
                self._log(loss=sum(losses) / len(losses))
                losses.clear()
            if self.step % config.save_every == 0 or self._finished():
                self.save()
            if self.step % config.evaluate_every == 0 or self._finished():
                self._evaluate()

    def _finished(self) -> bool:
        return self.step >= self.config.steps or self.seconds >= self.config.seconds

    def save(self) -> None:
        """Write the checkpoint, and keep a copy of the averaged weights per evaluation."""
        draft = self.folder / "checkpoint.part"
        state = {
            "painter": self.painter.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "optimised_from": self.optimised_from,
            "step": self.step,
            "seconds": self.seconds,
        }
        torch.save(state, draft)
        draft.replace(self.folder / "checkpoint.pt")
        if self.step % self.config.evaluate_every == 0 or self._finished():
            torch.save(self.average.state_dict(), self.folder / f"average-{self.step:06d}.pt")

    def _new_painter(self) -> Painter:
        shop = self.workshop
        painter = Painter(
            self.config.size, vocabulary=len(shop.tokenizer), pad_token=shop.pad_token
        )
        return painter.to(self.device)

    def _resume(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.painter.load_state_dict(state["painter"])
        self.average.load_state_dict(state["average"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.optimised_from = state.get("optimised_from", self.step)
        for optimiser, saved in zip(self.optimisers, state.get("optimisers", ()), strict=False):
            optimiser.load_state_dict(saved)

    def _train_on(self, batch: Batch) -> float:
        share = rate_share(
            self.step, self.config, optimised_from=self.optimised_from, seconds=self.seconds
        )
        rates = (self.config.learning_rate, self.config.matrix_rate)
        for rate, optimiser in zip(rates, self.optimisers, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * share
        loss_of = self._loss if self.config.compiled else self._plain_loss
        noise, sigma = self._noise(batch)
        before = None if batch.before is None else batch.before.to(self.device)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.config.bf16):
            loss = loss_of(
                batch.tokens.to(self.device), before, batch.after.to(self.device),
                weight=batch.weight.to(self.device),
                noise=noise.to(self.device), sigma=sigma.to(self.device),
            )  # fmt: skip
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.painter.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        self._update_average()
        return float(loss.detach())

    def _noise(self, batch: Batch) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.step)
        noise = torch.randn(batch.after.shape, generator=generator)
        return noise, noise_levels(len(noise), generator)

    def _plain_loss(
        self, tokens: Tensor, before: Tensor | None, after: Tensor,
        *, weight: Tensor, noise: Tensor, sigma: Tensor,
    ) -> Tensor:  # fmt: skip
        level = sigma[:, None, None]
        noisy = (1 - level) * after + level * noise
        text = self.painter.read(tokens)
        velocity = self.painter(noisy, sigma, text, reference=before)
        error = (velocity.float() - (noise - after)).square().mean(-1)
        return (error * weight).sum() / weight.sum()

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.config.average_decay, (1 + self.step) / (10 + self.step))
        averaged, now = list(self.average.parameters()), list(self.painter.parameters())
        torch._foreach_lerp_(averaged, now, 1 - decay)

    def _evaluate(self) -> None:
        self.average.eval()
        scores = latent_exactness(
            self.average, self.workshop, samples=self.config.evaluated_samples, seed=1,
        )  # fmt: skip
        self._log(**scores)

    def _log(self, **numbers: float) -> None:
        rate = self.config.batch_size * self.step / max(self.seconds, 1e-9)
        self.journal.write(step=self.step, seconds=self.seconds, samples_per_s=rate, **numbers)


def new_optimisers(painter: Painter, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, AdamW for everything else.

    Copying the things that stay needs every direction of a place's code; Muon learns the weak
    directions as fast as the strong ones.
    """
    inside: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, weight in painter.named_parameters():
        (
            inside
            if weight.ndim == _MATRIX and any(mark in name for mark in _BLOCK_MARKS)
            else others
        ).append(weight)
    rate, decay = config.learning_rate, config.weight_decay
    return [
        torch.optim.AdamW(others, rate, betas=(0.9, 0.98), weight_decay=decay, fused=True),
        torch.optim.Muon(
            inside, config.matrix_rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"
        ),
    ]


def rate_share(
    step: int, config: TrainConfig, *, optimised_from: int = 0, seconds: float = 0.0
) -> float:
    """The share of the full learning rate: a linear warm-up, a plateau, a cosine to 2 %."""
    risen = min((step - optimised_from + 1) / config.warm_up_steps, 1.0)
    done = max(step / config.steps, seconds / config.seconds)
    fallen = min(max(done - config.hold_share, 0.0) / (1 - config.hold_share), 1.0)
    return risen * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * fallen)))
