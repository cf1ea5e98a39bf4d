"""``python -m services.trainer.benchmarks.cli``: run, score and compare benchmarks.

Exit codes: 0 done, 1 stopped (what was done is kept), 2 the command line or the data is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.trainer.benchmarks import options as o
from services.trainer.benchmarks.asking import RunOptions
from services.trainer.benchmarks.comm import CoMM
from services.trainer.benchmarks.comm_documents import TASKS, Task
from services.trainer.benchmarks.connection import Connection
from services.trainer.benchmarks.evaluation import Judged
from services.trainer.benchmarks.folder import ResultsFolder, write_atomically
from services.trainer.benchmarks.hub import from_hub
from services.trainer.benchmarks.judge import ANSWER_LIMIT_S
from services.trainer.benchmarks.opening import Opening
from services.trainer.benchmarks.records import BenchmarkDataError, System
from services.trainer.benchmarks.rehearsal.cli import add_rehearsal
from services.trainer.benchmarks.rise import Rise
from services.trainer.benchmarks.scores import WiseEdition
from services.trainer.benchmarks.session import Session
from services.trainer.benchmarks.sketchbench import Sketchbench, freeze
from services.trainer.benchmarks.stopping import told_plainly
from services.trainer.benchmarks.ueval import UEval
from services.trainer.benchmarks.wise import Wise

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()


@app.command()
def sketchbench(
    *,
    out: o.Out = Path("runs/sketchbench"),
    server: o.Server = o.DEFAULT_SERVER,
    api_key: o.ApiKey = "",
    system: o.SystemOption = System.FULL,
    profile: o.ProfileName = "default",
    generator: o.Generator = None,
    max_attempts: o.MaxAttempts = None,
    seed: o.Seed = 0,
    concurrency: o.Concurrency = 4,
    item_timeout_s: o.ItemTimeout = o.DEFAULT_TIMEOUT_S,
    limit: o.Limit = None,
    retry_failed: o.RetryFailed = False,
    run: o.RunItems = True,
    price: o.Price = 0.0,
    against: o.Against = None,
    freeze_requests: Annotated[
        bool, typer.Option("--freeze", help="Commit to the requests as they are drawn now.")
    ] = False,
) -> None:
    """660 held-out Sketchbook requests, scored exactly."""
    with told_plainly(console):
        if freeze_requests:
            freeze()
            return
        connection = Connection(server, api_key, concurrency, retry_failed)
        options = RunOptions(
            system=system,
            profile=profile,
            generator=generator,
            max_attempts=max_attempts,
            seed=seed,
            item_timeout_s=item_timeout_s,
        )
        runs = o.RunChoices(connection, options, price) if run else None
        session = Session(ResultsFolder(out), console, limit=limit, against=against or [])
        session.sketchbench(Sketchbench(out), runs)


@app.command()
def ablation(
    *,
    out: o.Out = Path("runs/ablation"),
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write JSON.")] = None,
    requests: Annotated[int, typer.Option(min=2, help="Of Sketchbench, half implicit.")] = 200,
    seeds: Annotated[str, typer.Option(help="Seeds of the drawing, by comma.")] = "1,2,3",
    only: Annotated[str, typer.Option(help="Rows by name, by comma [all].")] = "",
    case_requests: Annotated[
        int, typer.Option(help="Held-out requests whose steps the critics judge one by one.")
    ] = 512,
    pack: Annotated[Path, typer.Option(help="The model pack.")] = Path("models/sketchbook"),
    variants: Annotated[Path, typer.Option(help="Other checkpoints.")] = Path("models/ablation"),
) -> None:
    """The published claims on Sketchbench: what each part of the system is worth."""
    # Only here: torch and diffusers take seconds to load.
    from services.trainer.ablation.rows import Checkpoints  # noqa: PLC0415
    from services.trainer.ablation.session import Plan, measure  # noqa: PLC0415

    with told_plainly(console):
        asked = tuple(name for name in only.split(",") if name)
        plan = Plan(out, requests, _numbers(seeds), asked, case_requests)
        measure(plan, Checkpoints(pack, variants), console)
        console.print((out / "ablation.md").read_text(), markup=False, soft_wrap=True)
        if json_file is not None:
            write_atomically(json_file, (out / "ablation.json").read_bytes())


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise BenchmarkDataError(f"--seeds {text!r} are not whole numbers") from None


def _public(name: str, build: Callable[[Path], Judged], help_text: str) -> None:
    """Add the command of a judged benchmark that has no options of its own."""

    @app.command(name, help=help_text)
    def command(
        *,
        data: o.Data,
        hub: o.Hub = None,
        out: o.Out = Path("runs") / name,
        server: o.Server = o.DEFAULT_SERVER,
        api_key: o.ApiKey = "",
        system: o.SystemOption = System.FULL,
        profile: o.ProfileName = "default",
        generator: o.Generator = None,
        max_attempts: o.MaxAttempts = None,
        side_px: o.Side = None,
        seed: o.Seed = 0,
        concurrency: o.Concurrency = 8,
        item_timeout_s: o.ItemTimeout = o.DEFAULT_TIMEOUT_S,
        limit: o.Limit = None,
        retry_failed: o.RetryFailed = False,
        run: o.RunItems = True,
        price: o.Price = 0.0,
        judge_url: o.JudgeUrl = None,
        judge_model: o.JudgeModel = "",
        judge_key: o.JudgeKey = "",
        judge_concurrency: o.JudgeConcurrency = 8,
        judge_timeout_s: o.JudgeTimeout = ANSWER_LIMIT_S,
        judge_price: o.JudgePrice = 0.0,
        against: o.Against = None,
    ) -> None:
        with told_plainly(console):
            home = from_hub(hub, data) if hub else data
            connection = Connection(server, api_key, concurrency, retry_failed)
            options = RunOptions(
                system=system,
                profile=profile,
                generator=generator,
                max_attempts=max_attempts,
                width=side_px,
                height=side_px,
                seed=seed,
                item_timeout_s=item_timeout_s,
            )
            runs = o.RunChoices(connection, options, price) if run else None
            judge = (
                o.JudgeChoices(
                    judge_url,
                    judge_model,
                    judge_key,
                    judge_concurrency,
                    judge_price,
                    judge_timeout_s,
                )
                if judge_url
                else None
            )
            session = Session(ResultsFolder(out), console, limit=limit, against=against or [])
            session.judged(build(home), runs, judge)


def _comm(tasks: tuple[Task, ...]) -> Callable[[Path], Judged]:
    return lambda data: CoMM(data, tasks=tasks)


_public("ueval", UEval, "UEval: rubrics on texts and pictures.")
_public("wise", lambda data: Wise(data, WiseEdition.LEGACY), "WISE, the legacy edition.")
_public(
    "wise-verified", lambda data: Wise(data, WiseEdition.VERIFIED), "WISE, the verified edition."
)
_public("rise", Rise, "RISEBench: edits that need reasoning.")
_public("comm", _comm(TASKS), "CoMM: all four tasks on documents with their pictures.")
_public("opening", Opening, "OpenING: 56 kinds of interleaved requests.")

add_rehearsal(app)


if __name__ == "__main__":
    app()
