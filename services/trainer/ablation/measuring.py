"""Measures rows request by request and critics case by case; what was measured is not done again.

A journal of trials stands in the run's folder: a stopped run goes on where it was, and a trial
counts only for the very weights it was made with. Not here: tables (``report``).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.trainer.ablation.agents import Agents, Judged, digest
from services.trainer.ablation.drawing import Order, Studio
from services.trainer.ablation.exact import ExactCritic
from services.trainer.ablation.rows import EXACT, Checkpoints, Row
from services.trainer.ablation.trajectories import Course, Crew, Judging, run
from services.trainer.benchmarks.sketchbench import Question
from services.trainer.data.drawn import Drawn
from services.trainer.data.journal import Journal
from services.trainer.data.scoring import UnscorableError, grade_picture
from services.trainer.grpo.local import LocalArtist
from services.trainer.sketchbook.agents.data import white_canvas
from services.trainer.sketchbook.reading import Picture
from shared.contracts.wire import Wire

_TOGETHER = 64
_REDRAWN_SEED = 1_000_000


class Trial(Wire):
    """One request answered by one row with one seed."""

    row: str
    weights: str
    seed: int
    request: str
    group: str
    goal: bool
    steps: int
    calls: int
    seconds: float
    """Its share of the time that it was answered in, with others."""

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What it answers."""
        return self.row, self.weights, self.seed, self.request


class CaseTrial(Wire):
    """One of the frozen cases judged by one critic; ``repaired`` is None for right pictures."""

    critic: str
    weights: str
    case: int
    truth: bool
    verdict: bool | None
    repaired: bool | None


@dataclass(slots=True)
class Laboratory:
    """Loads what rows need, once."""

    checkpoints: Checkpoints
    _agents: dict[str, Agents] = field(default_factory=dict[str, Agents], init=False)
    _studios: dict[str, Studio] = field(default_factory=dict[str, Studio], init=False)
    _digests: dict[str, str] = field(default_factory=dict[str, str], init=False)

    def agents(self, name: str) -> Agents:
        """A checkpoint of planner or critic."""
        if name not in self._agents:
            self._agents[name] = Agents(self.checkpoints.folder(name))
        return self._agents[name]

    def critic(self, name: str) -> Judging:
        """A critic by its name."""
        return ExactCritic() if name == EXACT else self.agents(name)

    def studio(self, name: str) -> Studio:
        """A generator with all that it drew."""
        folder = self.checkpoints.folder(name)
        return self._studios.setdefault(name, Studio(lambda: LocalArtist(folder)))

    def crew(self, row: Row) -> Crew:
        """Who works on a row."""
        planner = None if row.planner is None else self.agents(row.planner)
        critic = None if row.critic is None else self.critic(row.critic)
        return Crew(planner, critic, self.studio(row.generator), row.attempts)

    def weights(self, *names: str | None) -> str:
        """Names all the weights together."""
        for name in names:
            if name == EXACT:
                self._digests[name] = EXACT
            elif name is not None and name not in self._digests:
                self._digests[name] = digest(self.checkpoints.folder(name))
        return "-".join(self._digests[name] if name else "none" for name in names)


@dataclass(slots=True)
class Measuring:
    """A run's folder and what is measured in it."""

    folder: Path
    laboratory: Laboratory
    trials: Journal[Trial] = field(init=False)
    cases: Journal[CaseTrial] = field(init=False)

    def __post_init__(self) -> None:
        """Find what was measured before."""
        self.trials = Journal(self.folder / "trials.jsonl", Trial)
        self.cases = Journal(self.folder / "cases.jsonl", CaseTrial)

    def row(
        self, row: Row, questions: Sequence[Question], seed: int, on_done: Callable[[int], None]
    ) -> None:
        """Answer every request with a row.

        Raises:
            ResultsFolderError: Nothing can be written; what was done is kept.
        """
        weights = self.laboratory.weights(row.planner, row.critic, row.generator)
        known = {trial.key for trial in self.trials}
        left = [each for each in questions if (row.name, weights, seed, each.id) not in known]
        on_done(len(questions) - len(left))
        for at in range(0, len(left), _TOGETHER):
            some = left[at : at + _TOGETHER]
            began = time.monotonic()
            courses = self._answered(row, some, seed)
            seconds = (time.monotonic() - began) / len(some)
            for question, course in zip(some, courses, strict=True):
                self.trials.append(_trial(row, weights, seed, question, course, seconds=seconds))
            on_done(len(some))

    def _answered(self, row: Row, questions: Sequence[Question], seed: int) -> list[Course]:
        seeds = [question_seed(seed, question.id) for question in questions]
        return run(self.laboratory.crew(row), [each.request for each in questions], seeds)

    def critic(self, name: str, cases: Sequence[Drawn]) -> None:
        """Judge frozen cases, and draw the failed ones again from what the critic wrote.

        Raises:
            ResultsFolderError: Nothing can be written; what was done is kept.
        """
        weights = self.laboratory.weights(name)
        known = {each.case for each in self.cases if (each.critic, each.weights) == (name, weights)}
        left = [number for number in range(len(cases)) if number not in known]
        for at in range(0, len(left), _TOGETHER):
            for trial in self._judged(name, weights, left[at : at + _TOGETHER], cases):
                self.cases.append(trial)

    def _judged(
        self, name: str, weights: str, numbers: Sequence[int], cases: Sequence[Drawn]
    ) -> Iterator[CaseTrial]:
        asked = [_asked(cases[number]) for number in numbers]
        said = self.laboratory.critic(name).verdicts(asked)
        prompts = [
            (draft.refine_prompt if draft else "") or each.used
            for each, draft in zip(asked, said, strict=True)
        ]
        wrong = [n for n, number in enumerate(numbers) if not cases[number].success]
        orders = [Order(prompts[n], asked[n].before, _REDRAWN_SEED + numbers[n]) for n in wrong]
        drawn = dict(zip(wrong, self.laboratory.studio("generator").pictures(orders), strict=True))
        for n, (number, draft) in enumerate(zip(numbers, said, strict=True)):
            repaired = None
            if n in drawn:
                repaired = _is_right(asked[n], drawn[n])
            verdict = None if draft is None else draft.previous_step_success
            yield CaseTrial(
                critic=name, weights=weights, case=number, truth=cases[number].success,
                verdict=verdict, repaired=repaired,
            )  # fmt: skip


def question_seed(seed: int, question_id: str) -> int:
    """A seed of its own for each request."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{question_id}".encode()).digest()[:4])


def chosen(questions: Sequence[Question], count: int) -> list[Question]:
    """So many of the frozen requests: half implicit, every use alike, always the same ones."""
    groups: dict[str, list[Question]] = {}
    for each in questions:
        groups.setdefault(each.id.rpartition("-")[0], []).append(each)
    kinds = [[g for name, g in groups.items() if name.endswith(kind)]
             for kind in ("-explicit", "-implicit")]  # fmt: skip
    found: list[Question] = []
    for kind in kinds:
        for number, group in enumerate(kind):
            half, more = divmod(count // 2, len(kind))
            found += group[: half + (number < more)]
    return found


def _trial(
    row: Row, weights: str, seed: int, question: Question, course: Course, *, seconds: float
) -> Trial:
    return Trial(
        row=row.name, weights=weights, seed=seed, request=question.id, group=question.group,
        goal=course.reached(), steps=len(course.steps), calls=course.calls, seconds=seconds,
    )  # fmt: skip


def _asked(case: Drawn) -> Judged:
    first = bool((case.before == white_canvas()).all())
    return Judged(case.prompt, case.used, None if first else case.before, case.after)


def _is_right(asked: Judged, picture: Picture) -> bool:
    try:
        return bool(grade_picture(asked.before, asked.prompt, picture).success)
    except UnscorableError:
        return False
