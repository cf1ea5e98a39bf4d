"""The ``interleave`` command line: options in, exit codes out. The work is done elsewhere.

Exit codes: 0 done, 1 failed, 2 the request was refused (or the command line is wrong).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.launcher import demo as demonstration
from services.launcher import up as lifetime
from services.launcher.api import Order
from services.launcher.connection import connected, given_connection, temporary_stack
from services.launcher.data_folder import DataFolder
from services.launcher.display import Board
from services.launcher.errors import RefusedError
from services.launcher.keys import keys_app
from services.launcher.prompts import prompts_app
from services.launcher.research import add_research
from services.launcher.run import Job, Outcome, run_jobs
from services.launcher.settings import LauncherSettings
from services.launcher.status import show_status
from shared.errors import InterleaveError

FAILED = 1
REFUSED = 2

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(keys_app, name="keys")
app.add_typer(prompts_app, name="prompts")
add_research(app)

console = Console()

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of the stack's data [.interleave].")
]


@contextmanager
def _told_plainly() -> Generator[None]:
    """Errors of ours become a message and an exit code."""
    try:
        yield
    except RefusedError as error:
        console.print(f"Refused. {error.detail}", style="red", markup=False)
        raise typer.Exit(REFUSED) from None
    except InterleaveError as error:
        console.print(error.detail, style="red", markup=False)
        raise typer.Exit(FAILED) from None


def _folder(data: Path | None, settings: LauncherSettings) -> DataFolder:
    return DataFolder(data or settings.data)


@app.command()
def up(
    data: DataOption = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the gateway; 0 takes any free one [8080].")
    ] = None,
) -> None:
    """Start the whole stack on this machine and keep it running; Ctrl-C stops it."""
    settings = LauncherSettings()
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    with _told_plainly():
        lifetime.up(_folder(data, settings), settings, console=console)


@app.command()
def down(data: DataOption = None) -> None:
    """Stop the stack that runs on a data folder."""
    with _told_plainly():
        pid = lifetime.down(_folder(data, LauncherSettings()))
    console.print(f"Stopped (it was process {pid}).")


@app.command()
def status(data: DataOption = None) -> None:
    """Show the processes, their memory and the queues of a running stack."""
    with _told_plainly():
        show_status(_folder(data, LauncherSettings()), console=console)


@app.command()
def run(
    request: Annotated[str, typer.Argument(help="What you want to see.")],
    *,
    image: Annotated[
        list[Path] | None, typer.Option(help="A picture to work from; may be repeated.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the result.")] = Path("out"),
    profile: Annotated[str | None, typer.Option(help="default, paper, fast or strict.")] = None,
    steps: Annotated[int | None, typer.Option(help="Exact number of steps.")] = None,
    attempts: Annotated[int | None, typer.Option(help="Attempts per step at most.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed draws the same.")] = None,
    url: Annotated[str | None, typer.Option(help="Use the service at this address.")] = None,
    key: Annotated[str | None, typer.Option(help="API key for --url.")] = None,
    data: DataOption = None,
) -> None:
    """Run one request: on the running stack, on --url, or on a temporary stack."""
    order = Order(request, tuple(image or ()), profile, steps, attempts, seed)
    settings = LauncherSettings()
    with _told_plainly():
        job = Job("request", order, out)
        given = given_connection(url, key)
        if given is not None:
            outcomes = run_jobs([job], given, board=Board(console))
        else:
            with connected(_folder(data, settings), settings, console=console) as connection:
                outcomes = run_jobs([job], connection, board=Board(console))
    _report(outcomes)


@app.command()
def demo(
    request: Annotated[
        str | None, typer.Argument(help="A request of your own instead of the five.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out"),
) -> None:
    """Start a stack, run five requests (one of each kind), write the results, stop."""
    settings = LauncherSettings()
    jobs = demonstration.demo_jobs(out)
    if request:
        jobs = [Job("request", Order(request), out / "request")]
    with _told_plainly():
        with temporary_stack(settings, console=console) as connection:
            outcomes = run_jobs(jobs, connection, board=Board(console))
        demonstration.write_overview(outcomes, out / "index.html")
    console.print(f"All together: {out / 'index.html'}", soft_wrap=True)
    _report(outcomes)


def _report(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        word = outcome.trajectory.status.replace("_", " ")
        console.print(f"{outcome.job.name}: {word}, in {outcome.job.folder}", soft_wrap=True)
        if outcome.trajectory.problem:
            style = "yellow" if outcome.good else "red"
            console.print(outcome.trajectory.problem.text(), style=style, markup=False)
    if not all(outcome.good for outcome in outcomes):
        raise typer.Exit(FAILED)


def main() -> None:
    """Entry point of the ``interleave`` command."""
    app()
