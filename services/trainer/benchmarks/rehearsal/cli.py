"""``interleave evaluate samples`` and ``interleave evaluate judge``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from services.trainer.benchmarks.rehearsal.judge import LookingJudge, RubbishNowAndThen
from services.trainer.benchmarks.rehearsal.samples import write_samples
from services.trainer.data.teacher_server import teacher_app

console = Console()


def samples(
    *,
    out: Annotated[Path, typer.Option(help="Folder for the copies.")] = Path("runs/samples"),
    count: Annotated[int, typer.Option(min=1, help="Items for each group.")] = 1,
) -> None:
    """Write small Sketchbook copies of the judged benchmarks in their own layouts."""
    write_samples(out, count=count)
    console.print(f"UEval, WISE, RISEBench, CoMM and OpenING copies: {out}", markup=False)


def judge(
    *,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8090,
    rubbish: Annotated[
        float, typer.Option(min=0, max=1, help="Share of questions answered with rubbish.")
    ] = 0.0,
) -> None:
    """Serve a judge that reads Sketchbook pictures, as an OpenAI-compatible server."""
    looking = LookingJudge()
    app = teacher_app(RubbishNowAndThen(looking, rubbish) if rubbish else looking)
    console.print(f"Judge: --judge-url http://127.0.0.1:{port}/v1", markup=False)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


def add_rehearsal(app: typer.Typer) -> None:
    """Give the app these commands."""
    app.command()(samples)
    app.command()(judge)
