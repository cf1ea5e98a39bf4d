"""One command from start to end, telling a person how far it is.

Not here: the steps themselves (``evaluation``), options (``options``).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from services.trainer.benchmarks.evaluation import (
    Judged,
    chosen,
    compare,
    expect_items,
    judge_items,
    run_items,
    score_sketchbench,
    write_layout,
)
from services.trainer.benchmarks.expecting import Outlook
from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.judge import Judge
from services.trainer.benchmarks.options import GIVE_UP_AFTER, JudgeChoices, RunChoices
from services.trainer.benchmarks.records import Item, Report
from services.trainer.benchmarks.report import markdown
from services.trainer.benchmarks.run import Progress
from services.trainer.benchmarks.sketchbench import Sketchbench

_MINUTE_S = 60.0
_WATCH_S = 0.5
ON_AGAIN = "the same command asks only what was not answered"


def told(progress: Progress, price_per_call: float) -> str:
    """A line on how far a run is, with time and cost to come once they can be estimated."""
    ended = progress.kept + progress.done
    line = f"{ended}/{progress.total} items, {progress.failed} failed"
    if progress.remaining_s is not None and progress.remaining:
        line += f", about {progress.remaining_s / _MINUTE_S:.1f} min"
        line += f" and {progress.remaining_calls:.0f} generator calls to come"
        cost = progress.remaining_cost(price_per_call)
        line += f" (cost {cost:.2f})" if cost else ""
    return line


def questions_of(benchmark: Judged, items: Sequence[Item]) -> int:
    """How many questions judging the items takes at most."""
    return sum(benchmark.judge_calls(item) for item in items)


def asked(judge: Judge, most: int, elapsed_s: float) -> str:
    """A line on how far a judge is, with the time to come at the present pace."""
    failed = judge.failures.total()
    done = judge.answered + failed
    line = f"{done + judge.kept} of at most {most} questions judged, {failed} without an answer"
    if done:
        minutes = elapsed_s / done * max(0, most - done - judge.kept) / _MINUTE_S
        line += f", about {minutes:.1f} min to come"
    return line


def judged(judge: Judge) -> str:
    """A line on what a judge was asked and left unanswered, with the first reason of each kind."""
    line = f"Judge: {judge.answered} questions answered, {judge.kept} answered before"
    for kind, count in sorted(judge.failures.items()):
        line += f"; {count} {kind} ({judge.reasons[kind]})"
    return f"{line}. {ON_AGAIN.capitalize()}." if judge.failures else f"{line}."


class JudgeGoneError(RuntimeError):
    """A judge stopped answering; what it answered is kept."""


class Session:
    """Runs, scores and compares into one folder."""

    def __init__(
        self,
        folder: ResultsFolder,
        console: Console,
        *,
        limit: int | None,
        against: Sequence[Path],
    ) -> None:
        self._folder = folder
        self._console = console
        self._limit = limit
        self._against = against

    def sketchbench(self, benchmark: Sketchbench, runs: RunChoices | None) -> None:
        """Sketchbench from requests to report."""
        items = chosen(benchmark.items(), self._limit)
        self._run(benchmark.name, items, runs)
        report = score_sketchbench(benchmark, items, self._folder, system=self._title(runs))
        self._show(items, report)

    def judged(
        self, benchmark: Judged, runs: RunChoices | None, choices: JudgeChoices | None
    ) -> None:
        """A public benchmark from items to report; without a judge, to its own layout."""
        items = chosen(benchmark.items(), self._limit)
        questions = questions_of(benchmark, items)
        cost = questions * choices.price_per_question if choices else 0.0
        known = f", cost {cost:.2f}" if cost else ""
        self._say(f"{len(items)} items, at most {questions} questions to the judge{known}.")
        self._run(benchmark.name, items, runs)
        target, count = write_layout(benchmark, items, self._folder)
        self._say(f"{count} answers in the benchmark's own layout: {target}")
        if choices is None:
            self._say("Not scored: give --judge-url, or use the benchmark's own scripts.")
            return
        judging = self._judge(benchmark, items, choices, self._title(runs))
        report, judge = asyncio.run(judging)
        self._show(items, report)
        self._say(judged(judge))
        if judge.gone:
            raise JudgeGoneError(f"{GIVE_UP_AFTER} questions in a row had no answer; {ON_AGAIN}")

    async def _judge(
        self, benchmark: Judged, items: Sequence[Item], choices: JudgeChoices, system: str
    ) -> tuple[Report, Judge]:
        async with aclosing(choices.engine()) as engine:
            judge = choices.judge(engine, self._folder.root / "judge")
            judging = judge_items(benchmark, items, self._folder, judge=judge, system=system)
            shown = asyncio.create_task(self._watch(judge, questions_of(benchmark, items)))
            try:
                return await judging, judge
            finally:
                shown.cancel()

    async def _watch(self, judge: Judge, most: int) -> None:
        """Show how far the judge is until this is cancelled."""
        started = time.monotonic()
        with Live(console=self._console, transient=True) as live:
            while True:
                live.update(Text(asked(judge, most, time.monotonic() - started)))
                await asyncio.sleep(_WATCH_S)

    def _run(self, name: str, items: Sequence[Item], runs: RunChoices | None) -> None:
        if runs is None:
            return
        self.expect(items, runs)
        with Live(Text(f"0/{len(items)} items"), console=self._console, transient=True) as live:
            show = _shown_on(live, runs.price_per_call)
            running = run_items(
                name,
                items,
                self._folder,
                connection=runs.connection,
                options=runs.options,
                on_progress=show,
            )
            ended = asyncio.run(running)
        self._say(told(ended, runs.price_per_call))
        if ended.failed:
            self._say("What failed is kept as failed; --retry-failed runs it again.")

    def expect(self, items: Sequence[Item], runs: RunChoices) -> None:
        """Say what the items still to run will take."""
        options, connection = runs.options, runs.connection
        expecting = expect_items(items, self._folder, connection=connection, options=options)
        found = asyncio.run(expecting)
        if isinstance(found, Outlook):
            per_call, at_a_time = runs.price_per_call, connection.concurrency
            self._say(found.told(concurrency=at_a_time, price_per_call=per_call))
        elif found is not None:
            self._say(f"No estimate of calls and time: {found}")

    def _title(self, runs: RunChoices | None) -> str:
        """The system's name: as asked for, else as the folder says, else the folder's own."""
        if runs is not None:
            return str(runs.options.system)
        return str(self._folder.run().get("system", self._folder.root.name))

    def _show(self, items: Sequence[Item], report: Report) -> None:
        self._say(markdown([report]))
        if self._against:
            folders = [ResultsFolder(path) for path in self._against]
            target = self._folder.root / "compare"
            self._say(compare(items, [*folders, self._folder], target))

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def _shown_on(live: Live, price_per_call: float) -> Callable[[Progress], None]:
    return lambda progress: live.update(Text(told(progress, price_per_call)))
