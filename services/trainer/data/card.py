"""The data card: counts per category, what the filters did, and a contact sheet.

Not here: drawing the sheet (``contact``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

from pydantic import Field

from services.trainer.benchmarks.folder import write_atomically
from services.trainer.data.contact import Cell, write_sheet
from services.trainer.data.critic_rows import Cut
from services.trainer.data.filters import Thresholds
from services.trainer.data.folder import DataFolder
from services.trainer.data.planner_rows import PlannerRow
from services.trainer.data.records import (
    PromptRecord,
    Scores,
    StepRecord,
    TrajectoryRecord,
    drawn_attempts,
)
from shared.contracts.wire import Wire

_SAMPLES = 14
_NOT_TRIED = "not marked yet"
_REASON = 80
_FRAMES = (
    "Each line is a step: the picture before, then every attempt with its marks (s semantics, "
    "q quality) and its prompt. Green was accepted by the teacher, red refused."
)
Counts = dict[str, int]


def _counts() -> Counts:
    return {}


class DataReport(Wire):
    """Everything that was counted."""

    thresholds: Thresholds
    prompts: Counts = Field(default_factory=_counts)
    """By category."""
    trajectories: Counts = Field(default_factory=_counts)
    """By generator and status."""
    attempts: int = 0
    unscored_attempts: int = 0
    unscored: Counts = Field(default_factory=_counts)
    """Why, by reason."""
    steps: Counts = Field(default_factory=_counts)
    """What became of the steps."""
    disagreeing_attempts: int = 0
    unjudged_attempts: int = 0
    verdicts_before_balance: dict[str, Counts] = Field(default_factory=dict[str, Counts])
    verdicts_after_balance: dict[str, Counts] = Field(default_factory=dict[str, Counts])
    rows: Counts = Field(default_factory=_counts)
    critic_rows_by_category: Counts = Field(default_factory=_counts)
    planner_rows_by_source: Counts = Field(default_factory=_counts)
    teacher_agreement: float | None = None
    """Share of verdicts that are what the exact success says; None where that is unknown."""


def report(
    prompts: Mapping[str, PromptRecord],
    trajectories: Sequence[TrajectoryRecord],
    scores: Scores,
    cut: Cut,
    plans: Sequence[PlannerRow],
    *,
    limits: Thresholds,
    problems: Mapping[tuple[str, int, int], str],
) -> DataReport:
    """Count all of it."""
    keys = [(t.id, index, a.number) for t in trajectories for index, _, a in drawn_attempts(t)]
    return DataReport(
        thresholds=limits,
        prompts=_sorted(Counter(p.category for p in prompts.values())),
        trajectories=_sorted(Counter(f"{t.generator} {t.status}" for t in trajectories)),
        attempts=len(keys),
        unscored_attempts=sum(scores.get(key) is None for key in keys),
        unscored=_sorted(Counter(
            problems.get(key, _NOT_TRIED).partition("\n")[0][:_REASON] for key in keys
            if scores.get(key) is None
        )),
        steps=_sorted(cut.steps),
        disagreeing_attempts=cut.disagreeing,
        unjudged_attempts=cut.unjudged,
        verdicts_before_balance=cut.before_balance,
        verdicts_after_balance=cut.after_balance,
        rows={"critic-sft": len(cut.sft), "critic-rl": len(cut.rl), "planner-sft": len(plans)},
        critic_rows_by_category=_sorted(Counter(r.category for r in (*cut.sft, *cut.rl))),
        planner_rows_by_source=_sorted(Counter(row.source for row in plans)),
        teacher_agreement=_agreement(trajectories, scores),
    )  # fmt: skip


def _agreement(trajectories: Sequence[TrajectoryRecord], scores: Scores) -> float | None:
    agreed: list[bool] = []
    for trajectory in trajectories:
        for index, _, attempt in drawn_attempts(trajectory):
            score = scores.get((trajectory.id, index, attempt.number))
            if score is not None and score.success is not None and attempt.verdict is not None:
                agreed.append(score.success == attempt.verdict)
    return sum(agreed) / len(agreed) if agreed else None


def _sorted(counter: Counter[str]) -> Counts:
    return dict(sorted(counter.items()))


def card(found: DataReport, *, title: str) -> str:
    """The data card in markdown."""
    parts = [f"# Data card: {title}", "![Samples](contact.png)", _FRAMES]
    tables: tuple[tuple[str, Counts], ...] = (
        ("Requests by category", found.prompts),
        ("Trajectories by generator and end", found.trajectories),
        ("What the filters did with the steps", found.steps),
        ("Attempts without a score", found.unscored),
        ("Rows", found.rows),
        ("Critic rows by category", found.critic_rows_by_category),
        ("Planner rows by origin", found.planner_rows_by_source),
    )
    parts += [_table(name, counts) for name, counts in tables if counts]
    for name in found.verdicts_before_balance:
        before, after = found.verdicts_before_balance[name], found.verdicts_after_balance[name]
        parts.append(_compared(f"Verdicts for {name} by attempt, before and after balancing",
                               before, after))  # fmt: skip
    settings = "\n".join(f"- {k}: {v}" for k, v in found.thresholds.model_dump().items())
    parts.append(f"## Settings of the filters\n\n{settings}")
    parts.append(
        f"{found.attempts} attempts, {found.unscored_attempts} of them without a score, "
        f"{found.unjudged_attempts} of kept steps without a verdict, "
        f"{found.disagreeing_attempts} left out for a verdict against the exact success."
    )
    if found.teacher_agreement is not None:
        parts.append(f"The teacher's verdicts are right in {found.teacher_agreement:.3f} of them.")
    return "\n\n".join(parts) + "\n"


def _table(title: str, counts: Counts) -> str:
    rows = "\n".join(f"| {name} | {count} |" for name, count in counts.items())
    return f"## {title}\n\n| | count |\n|---|---|\n{rows}\n| all | {sum(counts.values())} |"


def _compared(title: str, before: Counts, after: Counts) -> str:
    rows = "\n".join(f"| {name} | {count} | {after.get(name, 0)} |"
                     for name, count in before.items())  # fmt: skip
    return f"## {title}\n\n| attempt, verdict | before | after |\n|---|---|---|\n{rows}"


def write_contact(
    folder: DataFolder, trajectories: Sequence[TrajectoryRecord], scores: Scores, *, seed: int = 0
) -> None:
    """A contact sheet of steps, those with several attempts first."""
    steps = [
        (trajectory.id, index, step)
        for trajectory in trajectories
        for index, step in enumerate(trajectory.steps)
        if any(attempt.file for attempt in step.attempts)
    ]
    Random(f"contact-{seed}").shuffle(steps)
    steps.sort(key=lambda found: -min(2, len(found[2].attempts)))
    chosen = steps[: _SAMPLES // 2] + steps[-(_SAMPLES // 2) :] if len(steps) > _SAMPLES else steps
    rows = [_cells(folder, name, index, step, scores) for name, index, step in chosen]
    write_sheet(rows, folder.root / "contact.png")


def _cells(
    folder: DataFolder, name: str, index: int, step: StepRecord, scores: Scores
) -> list[Cell]:
    before = None if step.source is None else folder.path(step.source)
    cells = [Cell(before, step.plan.prompt or "")]
    for attempt in step.attempts:
        if attempt.file is not None:
            score = scores.get((name, index, attempt.number))
            marks = (
                "no score" if score is None else f"s {score.semantics:.0f} q {score.quality:.0f}"
            )
            cells.append(Cell(folder.path(attempt.file), f"{marks} {attempt.prompt}",
                              attempt.verdict))  # fmt: skip
    return cells


def write_report(folder: DataFolder, found: DataReport, *, title: str) -> None:
    """Write ``report.json`` and ``card.md``."""
    write_atomically(folder.root / "report.json", found.model_dump_json(indent=1).encode())
    write_atomically(folder.root / "card.md", card(found, title=title).encode())
