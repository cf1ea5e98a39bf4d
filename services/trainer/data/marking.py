"""The stage that marks: what is left, how far it is, and what it means if there is no answer.

Not here: marks of one attempt (``scoring``).
"""

from __future__ import annotations

import asyncio
from collections import Counter

from rich.console import Console

from services.trainer.benchmarks.judge import Judge
from services.trainer.data.folder import DataFolder
from services.trainer.data.progress import Shown, shown
from services.trainer.data.records import drawn_attempts
from services.trainer.data.scoring import (
    GraderScorer,
    JudgeScorer,
    Scorer,
    score_attempts,
    settled,
)
from shared.errors import ServiceUnavailableError
from shared.llm.engine import ChatEngine

_FAILURES_IN_A_ROW = 24
"""Questions to a judge without an answer that stop the job."""
_SHORT = 100


def mark_attempts(
    folder: DataFolder, judge: ChatEngine | None, console: Console, *, concurrency: int
) -> None:
    """Mark every attempt that has no mark, by a judge or by the grader.

    Raises:
        ServiceUnavailableError: The judge marked nothing at all, or nothing any more.
        ResultsFolderError: Nothing can be written; what was done is kept.
    """
    trajectories = folder.newest().values()
    keys = {(t.id, step, each.number) for t in trajectories for step, _, each in drawn_attempts(t)}
    kept = len(keys & settled(folder))
    if kept == len(keys):
        return
    with shown("scores", len(keys), kept, console) as show:
        asyncio.run(_marked(folder, judge, show, concurrency=concurrency))
    _tell_unmarked(folder, keys, console)


async def _marked(
    folder: DataFolder, judge: ChatEngine | None, show: Shown, *, concurrency: int
) -> None:
    scorer: Scorer = GraderScorer()
    if judge is not None:
        cache = folder.root / "judge"
        scorer = JudgeScorer(Judge(judge, cache=cache, give_up_after=_FAILURES_IN_A_ROW))
    try:
        await score_attempts(
            list(folder.newest().values()), folder, scorer, concurrency=concurrency,
            on_done=lambda record: show.step(failed=record.score is None),
        )  # fmt: skip
    finally:
        if judge is not None:
            await judge.aclose()


def _tell_unmarked(folder: DataFolder, keys: set[tuple[str, int, int]], console: Console) -> None:
    left = keys - settled(folder)
    if not left:
        return
    problems = folder.problems()
    why = Counter(problems[key][:_SHORT] for key in left).most_common(1)[0][0]
    told = f"{len(left)} of {len(keys)} attempts have no mark ({why})"
    if left == keys:
        raise ServiceUnavailableError(told)
    console.print(f"{told}; the same command asks again", style="yellow", markup=False)
