"""One ablation from start to end: cases, rows, seeds, report. Every part is taken up again.

Not here: options (``benchmarks.cli``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from rich.console import Console

from services.trainer.ablation import report
from services.trainer.ablation.drawing import Studio
from services.trainer.ablation.measuring import Laboratory, Measuring, chosen
from services.trainer.ablation.rows import RETRAINED, ROWS, Checkpoints, Row
from services.trainer.ablation.staged import stage_cases
from services.trainer.benchmarks.folder import write_atomically
from services.trainer.benchmarks.plots import PlotError
from services.trainer.benchmarks.records import BenchmarkDataError
from services.trainer.benchmarks.sketchbench import frozen_questions
from services.trainer.data.drawn import Drawn, mixed, read_cases
from services.trainer.grpo.local import LocalArtist
from services.trainer.sketchbook.wording import Split

_CASES_SEED = 2
_FAILURE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured."""

    out: Path
    requests: int
    seeds: tuple[int, ...]
    only: tuple[str, ...]
    case_requests: int
    """Held-out requests whose steps the critics judge one by one; 0: no such measure."""

    def rows(self) -> list[Row]:
        """The rows asked for.

        Raises:
            BenchmarkDataError: There is no such row.
        """
        names = [row.name for row in ROWS]
        unknown = [name for name in self.only if name not in names]
        if unknown:
            raise BenchmarkDataError(f"no row {unknown[0]!r}; there are {', '.join(names)}")
        return [row for row in ROWS if not self.only or row.name in self.only]


def measure(plan: Plan, checkpoints: Checkpoints, console: Console) -> list[report.RowResult]:
    """Measure what is missing, then write the tables into the run's folder."""
    measuring = Measuring(plan.out, Laboratory(checkpoints))
    rows = _possible(plan.rows(), checkpoints, console)
    questions = chosen(frozen_questions(), plan.requests)
    for seed in plan.seeds:
        for row in rows:
            measuring.row(row, questions, seed, lambda _done: None)
            _told(plan, measuring, console, f"{row.label}, seed {seed}")
    if plan.case_requests:
        cases = frozen_cases(plan, checkpoints, console)
        for name in dict.fromkeys(row.critic for row in rows if row.critic):
            measuring.critic(name, cases)
            _told(plan, measuring, console, f"critic {name} on {len(cases)} cases")
    return write(plan, measuring, console)


def _possible(rows: Sequence[Row], checkpoints: Checkpoints, console: Console) -> list[Row]:
    """The rows whose checkpoints are there; the others are told."""
    for row in rows:
        for name in checkpoints.missing(row):
            how = RETRAINED.get(name, "interleave sketchbook train all")
            console.print(f"{row.label}: no checkpoint {checkpoints.folder(name)} ({how})")
    return [row for row in rows if not checkpoints.missing(row)]


def frozen_cases(plan: Plan, checkpoints: Checkpoints, console: Console) -> list[Drawn]:
    """Steps of held-out requests, half of them failed; the same for every critic."""
    folder = plan.out / "cases"
    laboratory = Laboratory(checkpoints)
    artist = LocalArtist(checkpoints.folder("generator"))
    stage_cases(
        laboratory.agents("planner"), lambda: Studio(lambda: artist), folder, Split.HELDOUT,
        requests=plan.case_requests, seed=_CASES_SEED,
        on_file=lambda n: console.print(f"{n} of {plan.case_requests} requests for the critics"),
    )  # fmt: skip
    return mixed(list(read_cases(folder)), Random(0), failures=_FAILURE_SHARE)


def _told(plan: Plan, measuring: Measuring, console: Console, what: str) -> None:
    results = report.row_results(plan.rows(), measuring.trials)
    last = next((each for each in results if what.startswith(f"{each.row.label},")), None)
    reached = f": {100 * last.goal['all'].mean:.1f} %" if last else ""
    console.print(f"{what}{reached}", highlight=False)


def write(plan: Plan, measuring: Measuring, console: Console) -> list[report.RowResult]:
    """The tables as markdown and JSON, and the plot where matplotlib is there."""
    rows = report.row_results(plan.rows(), measuring.trials)
    critics = report.critic_results(measuring.cases)
    write_atomically(plan.out / "ablation.md", report.markdown(rows, critics).encode())
    write_atomically(plan.out / "ablation.json", report.document(rows, critics).encode())
    try:
        report.draw(rows, plan.out / "ablation.png")
    except PlotError as error:
        console.print(str(error))
    return rows
