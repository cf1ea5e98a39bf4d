"""``interleave data``: make training data. The work is done elsewhere.

Exit codes: 0 done, 1 stopped (what was done is kept), 2 the command line or the data is wrong.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.trainer.benchmarks.folder import ResultsFolderError
from services.trainer.benchmarks.records import BenchmarkDataError
from services.trainer.data.catalogue import CATALOGUE
from services.trainer.data.filters import Thresholds
from services.trainer.data.making import Making, Plan, Preset
from services.trainer.data.teacher import ErrorRates
from services.trainer.data.teachers import Endpoint
from services.trainer.sketchbook.stack import StackStartError
from services.trainer.sketchbook.trajectories import Service
from services.trainer.stopping import stopped_as_by_hand
from shared.errors import InterleaveError

STOPPED, WRONG = 1, 2
_GENERATOR = Path("models/sketchbook/generator")
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()

_Out = Annotated[Path, typer.Option(help="Folder of the data; the same folder goes on with it.")]
_PresetOption = Annotated[Preset, typer.Option(help="Which world the data is of.")]
_Count = Annotated[int, typer.Option(min=1, help="Requests; may be raised later.")]
_Seed = Annotated[int, typer.Option(min=0, help="The same seed makes the same requests.")]
_Catalogue = Annotated[Path, typer.Option(help="Categories, templates and vocabularies.")]
_Server = Annotated[str | None, typer.Option(help="A running service [one of our own].")]
_Key = Annotated[str, typer.Option(envvar="INTERLEAVE_API_KEY", help="Its API key.")]
_Generators = Annotated[
    list[str] | None,
    typer.Option("--generator", help="Name at --server, else a folder; may be repeated."),
]
_TeacherUrl = Annotated[
    str | None, typer.Option(help="Chat server that plans and judges, as http://host:8000/v1.")
]
_TeacherModel = Annotated[str, typer.Option(help="Its model.")]
_TeacherKey = Annotated[str, typer.Option(envvar="INTERLEAVE_TEACHER_KEY", help="Its API key.")]
_Errors = Annotated[float, typer.Option(min=0, max=1, help="Of Sketchbook's own teacher.")]
_JudgeUrl = Annotated[str | None, typer.Option(help="Chat server that marks [the grader].")]
_JudgeModel = Annotated[str, typer.Option(help="Its model.")]
_JudgeKey = Annotated[str, typer.Option(envvar="INTERLEAVE_JUDGE_KEY", help="Its API key.")]
_Comm = Annotated[Path | None, typer.Option(help="Documents in CoMM's layout to add.")]
_Filtered = Annotated[bool, typer.Option("--filter/--no-filter", help="Drop bad steps.")]
_Fall = Annotated[float, typer.Option(min=0, help="Fall of the score that drops a step.")]
_Low = Annotated[
    float, typer.Option(min=0, max=10, help="A step never above this score is dropped.")
]
_Variance = Annotated[
    float, typer.Option(min=0, help="Variance of scores that sends a step to RL.")
]
_Agreement = Annotated[bool, typer.Option(help="Drop verdicts against the exact success.")]
_Balance = Annotated[bool, typer.Option("--balance/--no-balance", help="Balance verdicts.")]
_HeldOut = Annotated[float, typer.Option(min=0, max=0.9, help="Share of prompts held out.")]
_Pack = Annotated[str | None, typer.Option(help="Prompt pack the agents are trained on.")]
_Attempts = Annotated[int, typer.Option(min=1, max=10, help="Attempts a step.")]
_Concurrency = Annotated[int, typer.Option(min=1, help="Trajectories at a time.")]
_Retry = Annotated[bool, typer.Option(help="Run requests again that gave nothing.")]


@contextmanager
def _told_plainly() -> Generator[None]:
    stopped_as_by_hand()
    try:
        yield
    except BenchmarkDataError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(WRONG) from None
    except (InterleaveError, ResultsFolderError, StackStartError) as error:
        console.print(f"Stopped: {error}", style="red", markup=False)
        raise typer.Exit(STOPPED) from None
    except OSError as error:
        told = f"Stopped: {error}; make room and run the same command again"
        console.print(told, style="red", markup=False)
        raise typer.Exit(STOPPED) from None
    except KeyboardInterrupt:
        console.print("Stopped; the same command goes on from here.", style="red")
        raise typer.Exit(STOPPED) from None


@app.command()
def make(
    *,
    out: _Out,
    preset: _PresetOption = Preset.SKETCHBOOK,
    count: _Count = 100,
    seed: _Seed = 0,
    catalogue: _Catalogue = CATALOGUE,
    server: _Server = None,
    api_key: _Key = "",
    generator: _Generators = None,
    teacher_url: _TeacherUrl = None,
    teacher_model: _TeacherModel = "",
    teacher_key: _TeacherKey = "",
    planner_errors: _Errors = 0.0,
    critic_errors: _Errors = 0.05,
    judge_url: _JudgeUrl = None,
    judge_model: _JudgeModel = "",
    judge_key: _JudgeKey = "",
    comm: _Comm = None,
    filtered: _Filtered = True,
    fall: _Fall = 1.0,
    low: _Low = 3.0,
    variance: _Variance = 1.0,
    agreement: _Agreement = False,
    balance: _Balance = True,
    held_out: _HeldOut = 0.1,
    pack: _Pack = None,
    max_attempts: _Attempts = 5,
    concurrency: _Concurrency = 4,
    retry_failed: _Retry = False,
) -> None:
    """Requests, trajectories, marks and data sets, from nothing or from where it stopped."""
    with _told_plainly():
        plan = Plan(
            out=out,
            preset=preset,
            count=count,
            seed=seed,
            catalogue=catalogue,
            server=Service(server, api_key) if server else None,
            generators=tuple(generator or ()),
            teacher=Endpoint(teacher_url, teacher_model, teacher_key) if teacher_url else None,
            errors=ErrorRates(planner_errors, critic_errors),
            judge=Endpoint(judge_url, judge_model, judge_key) if judge_url else None,
            comm=comm,
            limits=Thresholds(
                filtered=filtered,
                fall=fall,
                low=low,
                variance=variance,
                agreement=agreement,
                balance=balance,
            ),
            max_attempts=max_attempts,
            concurrency=concurrency,
            retry_failed=retry_failed,
            share_held_out=held_out,
            pack=pack,
        )
        _check(plan)
        making = Making(plan, console)
        making.claim()
        making.trajectories(making.prompts())
        making.scores()
        making.data_sets()


@app.command()
def prompts(
    *,
    out: _Out,
    preset: _PresetOption = Preset.OPEN,
    count: _Count = 1000,
    seed: _Seed = 0,
    catalogue: _Catalogue = CATALOGUE,
) -> None:
    """Only the requests; `make` on the same folder goes on with them."""
    with _told_plainly():
        plan = Plan(out=out, preset=preset, count=count, seed=seed, catalogue=catalogue)
        making = Making(plan, console)
        making.claim()
        console.print(f"{len(making.prompts())} requests in {out / 'prompts.jsonl'}")


@app.command()
def sets(
    *,
    out: _Out,
    preset: _PresetOption = Preset.SKETCHBOOK,
    seed: _Seed = 0,
    comm: _Comm = None,
    filtered: _Filtered = True,
    fall: _Fall = 1.0,
    low: _Low = 3.0,
    variance: _Variance = 1.0,
    agreement: _Agreement = False,
    balance: _Balance = True,
    held_out: _HeldOut = 0.1,
    pack: _Pack = None,
) -> None:
    """Only the data sets, made anew from what a folder holds, with other thresholds."""
    limits = Thresholds(
        filtered=filtered,
        fall=fall,
        low=low,
        variance=variance,
        agreement=agreement,
        balance=balance,
    )
    with _told_plainly():
        plan = Plan(
            out=out,
            preset=preset,
            seed=seed,
            comm=comm,
            limits=limits,
            share_held_out=held_out,
            pack=pack,
        )
        making = Making(plan, console)
        making.claim()
        making.data_sets()


@app.command()
def drawn(
    *,
    out: _Out,
    generator: Annotated[Path, typer.Option(help="Generator folder.")] = _GENERATOR,
    count: Annotated[int, typer.Option(min=1, help="Pictures (or requests) to learn from.")] = 4096,
    held_out: Annotated[int, typer.Option(min=0, help="The same, held out.")] = 1024,
    failures: Annotated[float, typer.Option(min=0.05, max=0.95, help="In what is learned.")] = 0.6,
    planner: Annotated[
        Path | None,
        typer.Option(help="Whole requests planned by this folder, instead of single edits."),
    ] = None,
    seed: _Seed = 1,
) -> None:
    """Pictures by the Sketchbook generator itself, graded one by one: on-policy data for RL."""
    # Only here: torch and diffusers take seconds to load.
    from services.trainer.data.drawing import DrawnSet, make_drawn  # noqa: PLC0415

    with _told_plainly():
        made = make_drawn(
            DrawnSet(out, generator, count, held_out, failures, seed, planner), console
        )
        console.print(f"{made[0]} cases, {made[1]} held out, in {out / 'set'}")


def _check(plan: Plan) -> None:
    """An open world needs someone who knows it; services of our own need their models.

    Raises:
        BenchmarkDataError: A part is missing.
    """
    for folder in () if plan.server is not None else plan.used_generators():
        if not (Path(folder) / "model_index.json").is_file():
            raise BenchmarkDataError(f"no generator at {folder}")
    if plan.preset is not Preset.OPEN:
        return
    if plan.judge is None:
        raise BenchmarkDataError("the open preset needs --judge-url and --judge-model")
    if plan.server is None and (plan.teacher is None or not plan.generators):
        raise BenchmarkDataError(
            "the open preset needs a running service (--server), or a teacher (--teacher-url) "
            "and generator folders (--generator)"
        )


if __name__ == "__main__":
    app()
