"""Single steps for the critic: trajectories cut into attempts, sorted by what happens to steps.

Not here: the decisions (``filters``) and files (``formats``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from services.trainer.data.filters import Fate, Thresholds, balanced, fate, verdict_counts
from services.trainer.data.records import (
    AttemptRecord,
    PromptRecord,
    Score,
    Scores,
    StepRecord,
    TrajectoryRecord,
)


@dataclass(frozen=True, slots=True)
class CriticRow:
    """One attempt to judge. Pictures are files of the data folder; no before: a white canvas."""

    id: str
    prompt_id: str
    category: str
    generator: str
    before: str | None
    after: str
    plan_prompt: str
    used_prompt: str
    attempt: int
    verdict: bool
    """The teacher's."""
    truth: bool
    """The score's where it is exact, else the teacher's."""
    refine_prompt: str
    reasoning: str
    score: Score

    @property
    def reply(self) -> str:
        """The critic's whole answer, to learn."""
        verdict = {
            "previous_step_success": self.verdict,
            "refine_prompt": self.refine_prompt,
        }
        return f"<think>{self.reasoning}</think><answer>{json.dumps(verdict)}</answer>"


@dataclass(slots=True)
class Cut:
    """All rows by purpose, and what the filters did."""

    sft: list[CriticRow] = field(default_factory=list["CriticRow"])
    rl: list[CriticRow] = field(default_factory=list["CriticRow"])
    steps: Counter[str] = field(default_factory=Counter[str])
    disagreeing: int = 0
    unjudged: int = 0
    before_balance: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    after_balance: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])


def cut(
    trajectories: Sequence[TrajectoryRecord],
    prompts: Mapping[str, PromptRecord],
    scores: Scores,
    limits: Thresholds,
    *,
    seed: int = 0,
) -> Cut:
    """Cut trajectories into rows, filter and balance them."""
    found = Cut()
    for trajectory in trajectories:
        prompt = prompts[trajectory.prompt_id]
        for index, step in enumerate(trajectory.steps):
            if step.plan.draws:
                _cut_step(found, trajectory, index, step, prompt=prompt, scores=scores, to=limits)
    for name, rows in (("sft", found.sft), ("rl", found.rl)):
        found.before_balance[name] = _counts(rows)
        if limits.balance:
            rng = Random(f"balance-{seed}-{name}")
            # A step with spread begins with a failure almost by definition: evened out number
            # by number, RL would lose all its first attempts, so it is evened out as a whole.
            number = _number if name == "sft" else _any_number
            rows[:] = balanced(rows, number=number, verdict=_verdict, rng=rng)
        found.after_balance[name] = _counts(rows)
    return found


def _cut_step(
    found: Cut,
    trajectory: TrajectoryRecord,
    index: int,
    step: StepRecord,
    *,
    prompt: PromptRecord,
    scores: Scores,
    to: Thresholds,
) -> None:
    drawn = [attempt for attempt in step.attempts if attempt.file is not None]
    marks = [scores.get((trajectory.id, index, attempt.number)) for attempt in drawn]
    what = fate([None if mark is None else mark.overall for mark in marks], to)
    found.steps[what.value] += 1
    if not what.kept:
        return
    target = found.rl if what is Fate.RL else found.sft
    for attempt, score in zip(drawn, marks, strict=True):
        row = _row(trajectory, index, step, attempt, prompt=prompt, score=score)
        if row is None:
            found.unjudged += 1
        elif to.agreement and row.verdict != row.truth:
            found.disagreeing += 1
        else:
            target.append(row)


def _row(
    trajectory: TrajectoryRecord,
    index: int,
    step: StepRecord,
    attempt: AttemptRecord,
    *,
    prompt: PromptRecord,
    score: Score | None,
) -> CriticRow | None:
    """None where the teacher gave no verdict."""
    if attempt.verdict is None or attempt.file is None or score is None:
        return None
    return CriticRow(
        id=f"{trajectory.id}-{index}-{attempt.number}",
        prompt_id=prompt.id,
        category=prompt.category,
        generator=trajectory.generator,
        before=step.source,
        after=attempt.file,
        plan_prompt=step.plan.prompt or "",
        used_prompt=attempt.prompt,
        attempt=attempt.number,
        verdict=attempt.verdict,
        truth=attempt.verdict if score.success is None else score.success,
        refine_prompt=attempt.refine_prompt or attempt.prompt,
        reasoning=attempt.reasoning,
        score=score,
    )


def _number(row: CriticRow) -> int:
    return row.attempt


def _any_number(_row: CriticRow) -> int:
    return 0


def _verdict(row: CriticRow) -> bool:
    """What is balanced: the verdict that is learned."""
    return row.verdict


def _counts(rows: Sequence[CriticRow]) -> dict[str, int]:
    return verdict_counts(rows, number=_number, verdict=_verdict)
