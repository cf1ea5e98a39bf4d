"""``interleave sketchbook``: train and measure the model pack. The work is done elsewhere."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.trainer.sketchbook.shares import Share

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
MODELS = Path("models/sketchbook")
RUNS = Path("runs")


class Model(StrEnum):
    """What can be trained; ``all`` is what the pack holds."""

    PLANNER = "planner"
    CRITIC = "critic"
    GENERATOR = "generator"
    EARLY = "early"
    """A critic that had little fine-tuning, which RL goes on from in the ablation."""
    BOTH = "both"
    """One agent in place of planner and critic, for the ablation."""
    ALL = "all"


class Part(StrEnum):
    """What can be measured."""

    GENERATOR = "generator"
    PLANNER = "planner"
    CRITIC = "critic"
    TRAJECTORY = "trajectory"


@app.command()
def train(
    what: Annotated[Model, typer.Argument(help="Which model.")],
    *,
    runs: Annotated[Path, typer.Option(help="Checkpoints and prepared data.")] = RUNS,
    models: Annotated[Path, typer.Option(help="Where the model folders go.")] = MODELS,
    minutes: Annotated[
        float | None, typer.Option(help="Budget of each stage of planner and critic.")
    ] = None,
) -> None:
    """Train the models, or go on training them: a stopped run is taken up again."""
    from services.trainer.sketchbook.training import Recipe  # noqa: PLC0415 - loads torch
    from services.trainer.sketchbook.training import train as train_models  # noqa: PLC0415

    recipe = Recipe(runs=runs, models=models, minutes=minutes)
    raise typer.Exit(train_models(what.value, recipe, console=Console()))


@app.command()
def evaluate(
    *,
    n: Annotated[int, typer.Option(help="Held-out cases per figure.")] = 200,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write JSON.")] = None,
    part: Annotated[list[Part] | None, typer.Option(help="Only this; may be repeated.")] = None,
    models: Annotated[Path, typer.Option(help="The model pack.")] = MODELS,
    seed: Annotated[int, typer.Option(help="Of the held-out cases.")] = 0,
) -> None:
    """Measure the models on held-out scenes, wordings and requests."""
    from services.trainer.sketchbook.evaluate import evaluate as measures  # noqa: PLC0415 - torch

    warnings.simplefilter("ignore")
    console = Console()
    parts = tuple(each.value for each in part or tuple(Part))
    found: dict[str, Share] = {}
    with console.status("Measuring ...") as status:
        for shares in measures(models, parts=parts, cases=n, seed=seed):
            found |= shares
            status.update(f"Measured {', '.join(shares)} ...")
            _save(found, json_file)
    console.print(_table(found))


def _save(found: dict[str, Share], file: Path | None) -> None:
    if file is not None:
        document = {name: asdict(share) for name, share in found.items()}
        file.write_text(json.dumps(document, indent=1) + "\n")


def _table(found: dict[str, Share]) -> Table:
    table = Table("measure", "share", "95 % interval", "n")
    for name, share in found.items():
        interval = f"{share.low:.3f} to {share.high:.3f}"
        table.add_row(name, f"{share.value:.3f}", interval, str(share.n))
    return table


if __name__ == "__main__":
    app()
