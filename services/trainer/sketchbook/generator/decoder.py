"""Trains the half of the autoencoder that turns latents into pictures.

The encoder is written, not trained, so the decoder has fixed inputs: the table's codes, with a
little noise on them, as the transformer's drawings have. Not here: the encoder (``vae``).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLFlux2
from numpy.typing import NDArray
from torch import Tensor

from services.trainer.sketchbook.generator.codes import EMPTY_SHARE, scaled
from services.trainer.sketchbook.generator.journal import Journal
from services.trainer.sketchbook.generator.vae import denormalise, unpacked
from services.trainer.sketchbook.generator.workshop import Workshop
from services.trainer.sketchbook.world import GRID, PICTURE_PX, PLACE_PX


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """The recipe of the decoder's training."""

    steps: int = 4000
    batch_size: int = 4
    learning_rate: float = 2e-3
    warm_up_steps: int = 100
    largest_noise: float = 0.15
    average_decay: float = 0.995
    seed: int = 5
    bf16: bool = True
    log_every: int = 50
    save_every: int = 250


class DecoderTrainer:
    """One run of the decoder's training."""

    def __init__(self, config: DecoderConfig, workshop: Workshop, run_folder: Path) -> None:
        """Start afresh, or go on from the folder's checkpoint."""
        self.config, self.workshop, self.folder = config, workshop, run_folder
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(config.seed)
        self.vae = workshop.vae.to(self.device).requires_grad_(requires_grad=False)
        weights = [*self.vae.decoder.parameters(), *self.vae.post_quant_conv.parameters()]
        self.weights = [weight.requires_grad_() for weight in weights]
        self.average = [weight.detach().clone() for weight in self.weights]
        self.optimiser = torch.optim.AdamW(
            self.weights, config.learning_rate, betas=(0.9, 0.98), weight_decay=1e-4, fused=True
        )
        self.step, self.seconds = 0, 0.0
        self._resume()
        self.journal = Journal(run_folder / "decoder-metrics.jsonl", total_steps=config.steps)

    def run(self) -> AutoencoderKLFlux2:
        """Train to the last step and put the averaged weights in place."""
        with self.journal:
            self._run()
        self.use_average()
        return self.vae

    def _run(self) -> None:
        config, losses = self.config, list[float]()
        while self.step < config.steps:
            started = time.monotonic()
            losses.append(self._train())
            self.step += 1
            self.seconds += time.monotonic() - started
            if self.step % config.log_every == 0:
                mean = sum(losses) / len(losses)
                self.journal.write(step=self.step, seconds=self.seconds, loss=mean)
                losses.clear()
            if self.step % config.save_every == 0 or self.step == config.steps:
                self.save()

    @torch.no_grad()
    def use_average(self) -> None:
        """Replace the trained weights by their running average."""
        for weight, averaged in zip(self.weights, self.average, strict=True):
            weight.copy_(averaged)

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "weights": [weight.detach() for weight in self.weights],
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        draft = self.folder / "decoder.part"
        torch.save(state, draft)
        draft.replace(self.folder / "decoder.pt")

    @torch.no_grad()
    def _resume(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "decoder.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        for weight, saved in zip(self.weights, state["weights"], strict=True):
            weight.copy_(saved)
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]

    def _train(self) -> float:
        config = self.config
        for group in self.optimiser.param_groups:
            group["lr"] = config.learning_rate * _rate_share(self.step, config)
        rng = np.random.default_rng((config.seed, self.step))
        numbers = crowded_scenes(config.batch_size, rng=rng, shape=self.workshop.table.shape)
        wanted = torch.from_numpy(scaled(pictures_of(self.workshop, numbers))).permute(0, 3, 1, 2)
        codes = self.workshop.table.look_up(numbers)
        noise = torch.from_numpy(rng.standard_normal(codes.shape, dtype=np.float32))
        codes = codes + noise * float(rng.uniform(0, config.largest_noise))
        latents = picture_latents(self.vae, codes.to(self.device))
        with torch.autocast(self.device, torch.bfloat16, enabled=config.bf16):
            loss = self._loss(latents, wanted.to(self.device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self._update_average()
        return float(loss.detach())

    def _loss(self, latents: Tensor, wanted: Tensor) -> Tensor:
        error = self.vae.decoder(self.vae.post_quant_conv(latents)).float() - wanted
        return error.abs().mean() + 2.0 * error.square().mean()

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.config.average_decay, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(self.average, [w.detach() for w in self.weights], 1 - decay)


def _rate_share(step: int, config: DecoderConfig) -> float:
    if step < config.warm_up_steps:
        return (step + 1) / config.warm_up_steps
    done = (step - config.warm_up_steps) / max(config.steps - config.warm_up_steps, 1)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def crowded_scenes(
    count: int, *, rng: np.random.Generator, shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """Scenes with something in most places: (n, 17) numbers."""
    backgrounds, items = shape
    numbers = rng.integers(1, items, (count, 1 + GRID * GRID))
    numbers[rng.random(numbers.shape) < EMPTY_SHARE] = 0
    numbers[:, 0] = rng.integers(0, backgrounds, count)
    return numbers.astype(np.uint8)


def pictures_of(workshop: Workshop, numbers: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The pictures of scenes given as numbers, put together from tiles."""
    rows = np.arange(GRID).repeat(GRID)[None]
    tiles = workshop.tiles[numbers[:, :1], rows, numbers[:, 1:]]
    grid = tiles.reshape(-1, GRID, GRID, PLACE_PX, PLACE_PX, 3).swapaxes(2, 3)
    return grid.reshape(-1, PICTURE_PX, PICTURE_PX, 3)


def picture_latents(vae: AutoencoderKLFlux2, tokens: Tensor) -> Tensor:
    """Picture tokens (n, 16, 128) as the latents the decoder takes: (n, 32, 8, 8)."""
    grid = denormalise(vae, tokens).permute(0, 2, 1).reshape(len(tokens), -1, GRID, GRID)
    return unpacked(grid)
