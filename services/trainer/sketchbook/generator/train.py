"""Trains, measures and exports the generator: the entry points, and the command.

``python -m services.trainer.sketchbook.generator.train`` does all of it, and goes on where an
interrupted run stopped. Not here: the loops themselves (``loop``, ``decoder``).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import torch
import typer
from diffusers import AutoencoderKLFlux2

from services.trainer.sketchbook.generator.card import Run, write_card
from services.trainer.sketchbook.generator.decoder import DecoderConfig, DecoderTrainer
from services.trainer.sketchbook.generator.drawing import PipelineArtist, measure
from services.trainer.sketchbook.generator.evaluate import heldout_samples
from services.trainer.sketchbook.generator.export import export
from services.trainer.sketchbook.generator.loop import TrainConfig, Trainer
from services.trainer.sketchbook.generator.model import Painter
from services.trainer.sketchbook.generator.workshop import Workshop, open_workshop
from services.trainer.sketchbook.language import Split

MEASURE_SEED = 99


def train_generator(config: TrainConfig, *, workshop: Workshop, run_folder: Path) -> Painter:
    """Train, or go on training, transformer and text encoder; the averaged model comes back."""
    trainer = Trainer(config, workshop, run_folder)
    (run_folder / "config.json").write_text(json.dumps(asdict(config), indent=2))
    trainer.run()
    return trainer.average


def train_decoder(
    config: DecoderConfig, *, workshop: Workshop, run_folder: Path
) -> AutoencoderKLFlux2:
    """Train, or go on training, the decoder of the workshop's autoencoder."""
    return DecoderTrainer(config, workshop, run_folder).run()


def saved_painter(workshop: Workshop, path: Path, *, config: TrainConfig) -> Painter:
    """The averaged model that a run kept in a file."""
    painter = Painter(config.size, vocabulary=len(workshop.tokenizer), pad_token=workshop.pad_token)
    painter.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return painter.eval()


def finish(painter: Painter, *, workshop: Workshop, folder: Path, run: Run, count: int) -> None:
    """Export a model, measure the exported folder, and write its card."""
    export(painter, vae=workshop.vae, tokenizer=workshop.tokenizer, folder=folder)
    artist = PipelineArtist(folder)
    shares = {
        split: measure(
            artist, heldout_samples(count=count, seed=MEASURE_SEED, split=split), seed=MEASURE_SEED
        )
        for split in Split
    }
    write_card(folder, run=run, shares=shares)


def main(
    *,
    run_folder: Annotated[Path, typer.Option(help="Checkpoints and prepared data.")] = Path(
        "runs/sketchbook-generator"
    ),
    folder: Annotated[Path, typer.Option(help="Where the pipeline folder goes.")] = Path(
        "models/sketchbook/generator"
    ),
    steps: Annotated[int, typer.Option(help="Steps of the transformer.")] = 7000,
    decoder_steps: Annotated[int, typer.Option(help="Steps of the decoder.")] = 6000,
    samples: Annotated[int, typer.Option(help="Training samples drawn beforehand.")] = 600_000,
    measured: Annotated[int, typer.Option(help="Held-out samples drawn per split.")] = 400,
) -> None:
    """Train the Sketchbook generator and export it."""
    workshop = open_workshop(run_folder / "shop", samples=samples)
    train_decoder(
        DecoderConfig(steps=decoder_steps), workshop=workshop, run_folder=run_folder / "main"
    )
    config = TrainConfig(steps=steps)
    painter = train_generator(config, workshop=workshop, run_folder=run_folder / "main")
    run = Run.of_folder(run_folder / "main", config=config, data_sha256=workshop.pool.sha256())
    finish(painter, workshop=workshop, folder=folder, run=run, count=measured)


if __name__ == "__main__":
    typer.run(main)
