"""``interleave sft planner|critic``: supervised fine-tuning. The work is done elsewhere.

Exit codes: 0 done, 1 stopped (checkpoints are kept), 2 the command line or the data is wrong.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from safetensors import SafetensorError

from services.trainer.benchmarks.records import BenchmarkDataError
from services.trainer.sft.presets import Preset, Role, load_preset
from services.trainer.sft.ranks import (
    Ranks,
    end_with_launcher,
    is_first_rank,
    is_rank,
    launch,
)
from services.trainer.stopping import stopped_as_by_hand

STOPPED, WRONG = 1, 2
_UNWRITTEN = re.compile(r"PytorchStreamWriter|iostream error|I/O error|No space left|too large")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console()

RoleArgument = Annotated[Role, typer.Argument(help="Which agent.")]
PresetOption = Annotated[Preset, typer.Option(help="Size and hyper-parameters.")]
Data = Annotated[Path, typer.Option(help="A data set of `interleave data`.")]
Out = Annotated[Path, typer.Option(help="Checkpoints, metrics and the model; resumable.")]
Model = Annotated[str | None, typer.Option(help="Start from this folder or hub name.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Stop after so many steps.")]
LearningRate = Annotated[float | None, typer.Option(help="Instead of the preset's.")]
Epochs = Annotated[float | None, typer.Option(help="Instead of the preset's.")]
BatchSize = Annotated[int | None, typer.Option("--batch", help="Rows a step over all ranks.")]
PerDevice = Annotated[
    int | None, typer.Option("--batch-per-device", help="Rows a rank holds at once.")
]
SaveSteps = Annotated[int | None, typer.Option(help="Steps between checkpoints.")]
Seed = Annotated[int, typer.Option(help="Of the order of rows and of random weights.")]
Scratch = Annotated[bool, typer.Option(help="Random weights of the model's shape.")]
Reduced = Annotated[
    bool, typer.Option(help="A narrow model of the 8B's shape with random weights.")
]
Resume = Annotated[
    bool, typer.Option("--resume/--no-resume", help="Go on from a checkpoint, or forget them.")
]
RanksOption = Annotated[int, typer.Option("--ranks", min=1, help="Processes on this node.")]
Nodes = Annotated[int, typer.Option(min=1, help="Nodes.")]
Node = Annotated[int, typer.Option(min=0, help="This node's number.")]
Meeting = Annotated[str, typer.Option(help="HOST:PORT of node 0, for several nodes.")]
LaunchFile = Annotated[
    Path | None, typer.Option(help="Accelerate file: deploy/training/fsdp2.yaml or zero3.yaml.")
]


@contextmanager
def told_plainly() -> Generator[None]:
    """Errors become a message and an exit code."""
    stopped_as_by_hand()
    end_with_launcher()
    try:
        yield
    except BenchmarkDataError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(WRONG) from None
    except OSError as error:
        console.print(f"Stopped: {error}; run it again to go on.", style="red", markup=False)
        raise typer.Exit(STOPPED) from None
    except (SafetensorError, RuntimeError) as error:
        # Weights are written by native code, which has its own errors for a full disk.
        if not _UNWRITTEN.search(str(error)):
            raise
        told = f"Stopped: cannot write: {error}; make room and run it again to go on."
        console.print(told, style="red", markup=False)
        raise typer.Exit(STOPPED) from None
    except KeyboardInterrupt:
        console.print("Stopped; the same command goes on from the checkpoint.", style="red")
        raise typer.Exit(STOPPED) from None


def started_ranks(ranks: Ranks, module: str) -> bool:
    """Start the ranks that do the work, if it takes more than this process; exits if they fail."""
    if ranks.alone or is_rank():
        return False
    run_ranks(ranks, module, sys.argv[1:])
    return True


def run_ranks(ranks: Ranks, module: str, arguments: Sequence[str]) -> None:
    """Start the ranks and wait for them; exits if they fail."""
    if launch(ranks, module, arguments):
        # The launcher's own report, which is what stands last, does not tell why.
        told = "Stopped: a rank has failed, it said above why; run it again to go on."
        console.print(told, style="red", markup=False)
        raise typer.Exit(STOPPED)


def tell_model(folder: Path) -> None:
    """Say where the model is, once."""
    if is_first_rank():
        console.print(f"Model in {folder}", soft_wrap=True)


@app.command()
def sft(
    role: RoleArgument,
    *,
    preset: PresetOption = Preset.SKETCHBOOK,
    data: Data,
    out: Out,
    model: Model = None,
    steps: Steps = None,
    learning_rate: LearningRate = None,
    epochs: Epochs = None,
    batch: BatchSize = None,
    batch_per_device: PerDevice = None,
    save_steps: SaveSteps = None,
    seed: Seed = 0,
    scratch: Scratch = False,
    reduced: Reduced = False,
    resume: Resume = True,
    ranks: RanksOption = 1,
    nodes: Nodes = 1,
    node: Node = 0,
    meeting: Meeting = "",
    launch_file: LaunchFile = None,
) -> None:
    """Fine-tune an agent on a data set and export it as a model folder."""
    with told_plainly():
        together = Ranks(ranks, nodes, node, meeting, launch_file)
        if started_ranks(together, "services.trainer.sft.cli"):
            return
        changes: dict[str, object] = {
            "model": model,
            "learning_rate": learning_rate,
            "epochs": epochs,
            "batch": batch,
            "batch_per_device": batch_per_device,
            "save_steps": save_steps,
            "seed": seed,
        }
        settings = load_preset(preset, changes).for_role(role)
        # Only here: torch and TRL take seconds to load, and the launching process needs neither.
        from services.trainer.sft.training import SftRun, train  # noqa: PLC0415

        run = SftRun(
            settings,
            data,
            out,
            steps=steps,
            scratch=scratch,
            reduced=reduced,
            resume=resume,
            ranks=together.total,
        )
        folder = train(run, console)
        tell_model(folder)


if __name__ == "__main__":
    app()
