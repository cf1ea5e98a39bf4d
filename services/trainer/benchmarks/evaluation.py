"""One evaluation from items to report: run, write the benchmark's layout, score, show.

Not here: the command line (``cli``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from services.trainer.benchmarks.asking import RunOptions
from services.trainer.benchmarks.connection import Connection
from services.trainer.benchmarks.expecting import Outlook, outlook
from services.trainer.benchmarks.folder import ResultsFolder, write_atomically
from services.trainer.benchmarks.judge import Judge
from services.trainer.benchmarks.layouts import LAYOUTS
from services.trainer.benchmarks.pages import Run, write_pages
from services.trainer.benchmarks.plots import PlotError, plot
from services.trainer.benchmarks.records import Item, ItemScore, Line, Report
from services.trainer.benchmarks.report import as_csv, load, load_scores, markdown, save
from services.trainer.benchmarks.run import Progress, Runner, still_to_run
from services.trainer.benchmarks.scoring import Benchmark, counts, score_all
from services.trainer.benchmarks.service import InterleaveService
from services.trainer.benchmarks.sketchbench import Sketchbench


class Reported(Protocol):
    """What a report needs of a benchmark."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def key(self) -> str:
        """The value its headline is made of."""
        ...

    @property
    def deviations(self) -> tuple[str, ...]:
        """Where its scoring is not the published one."""
        ...

    def lines(self, scores: Sequence[ItemScore]) -> tuple[Line, ...]:
        """What is reported."""
        ...


class Judged(Benchmark, Reported, Protocol):
    """A benchmark that a judge scores."""


def chosen(items: Sequence[Item], limit: int | None) -> tuple[Item, ...]:
    """All items, or so many of them, the same ones every time and mixed over the groups."""
    if limit is None or limit >= len(items):
        return tuple(items)
    by_hash = sorted(items, key=lambda item: hashlib.sha256(item.id.encode()).digest())
    kept = {item.id for item in by_hash[:limit]}
    return tuple(item for item in items if item.id in kept)


async def expect_items(
    items: Sequence[Item], folder: ResultsFolder, *, connection: Connection, options: RunOptions
) -> Outlook | str | None:
    """What the items still to run will take, or why that is not known; None if there are none."""
    todo = still_to_run(items, folder, retry_failed=connection.retry_failed)
    if not todo:
        return None
    async with connection.open() as http:
        return await outlook(InterleaveService(http, options, tries=1), todo)


async def run_items(
    name: str,
    items: Sequence[Item],
    folder: ResultsFolder,
    *,
    connection: Connection,
    options: RunOptions,
    on_progress: Callable[[Progress], None],
) -> Progress:
    """Run items through the service into the folder.

    Raises:
        ServiceUnavailableError: The service cannot be reached; what was done is kept.
        ResultsFolderError: The folder holds another run, or cannot be written.
    """
    asked = options.model_dump(mode="json", exclude={"item_timeout_s"})
    folder.claim({"benchmark": name, **asked})
    run_name = f"{name}/{folder.root.resolve()}/{asked}"
    async with connection.open() as http:
        runner = Runner(
            InterleaveService(http, options),
            folder,
            name=run_name,
            concurrency=connection.concurrency,
            retry_failed=connection.retry_failed,
            on_progress=on_progress,
        )
        return await runner.run(items)


def write_layout(
    benchmark: Reported, items: Sequence[Item], folder: ResultsFolder
) -> tuple[Path, int]:
    """Write the benchmark's own layout; gives its folder and the number of answers in it."""
    target = folder.root / "layout"
    writer = LAYOUTS[benchmark.name.split("-")[0]]
    return target, writer(folder.results(items), folder, target)


async def judge_items(
    benchmark: Judged,
    items: Sequence[Item],
    folder: ResultsFolder,
    *,
    judge: Judge,
    system: str,
) -> Report:
    """Judge what lies in the folder, and save the report there."""
    scores = await score_all(benchmark, items, folder, judge)
    return _reported(benchmark, items, scores, folder, system=system, judge=judge.model)


def score_sketchbench(
    benchmark: Sketchbench, items: Sequence[Item], folder: ResultsFolder, *, system: str
) -> Report:
    """Score what lies in the folder exactly, and save the report there."""
    scores = benchmark.scores(folder, ids={item.id for item in items})
    return _reported(benchmark, items, scores, folder, system=system)


def _reported(
    benchmark: Reported,
    items: Sequence[Item],
    scores: Sequence[ItemScore],
    folder: ResultsFolder,
    *,
    system: str,
    judge: str = "",
) -> Report:
    report = Report(
        benchmark=benchmark.name,
        system=system,
        judge=judge,
        lines=benchmark.lines(scores),
        counts=counts(items, scores, benchmark.key),
        deviations=benchmark.deviations,
    )
    save(report, scores, folder.root)
    return report


def compare(items: Sequence[Item], folders: Sequence[ResultsFolder], target: Path) -> str:
    """Table, plot and side-by-side pages of several scored runs; gives the table.

    Raises:
        ResultsFolderError: A folder has no report.
    """
    reports = [load(folder.root) for folder in folders]
    runs = [
        Run(report.system, folder, {score.item_id: score for score in load_scores(folder.root)})
        for report, folder in zip(reports, folders, strict=True)
    ]
    write_pages(items, runs, target)
    table = markdown(reports)
    write_atomically(target / "table.md", table.encode())
    write_atomically(target / "table.csv", as_csv(reports).encode())
    return table + _plotted(reports, target / "plot.png")


def _plotted(reports: Sequence[Report], target: Path) -> str:
    try:
        plot(reports, target)
    except PlotError as error:
        return f"\nNo plot: {error}\n"
    return f"\nPlot: {target}\n"
