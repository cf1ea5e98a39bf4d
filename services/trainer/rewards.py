"""Rewards of the critic in single-step GRPO: format, accuracy, and how much better the picture got.

Pure and total: every outcome has a reward. Not here: reading the critic's reply
(``shared.prompts``), drawing the new picture and marking it.

Source: InterleaveThinker, section on critic RL (form ``paper``), and its released code (form
``released``):

    paper     R = 0.5 F + 0.5 (a A + (1 - a) D)           a = 0.2, A in {-1, 0}, D in [-1, 1]
    released  R = 0.5 F + 0.5 (0.2 A + 0.6 S + 0.2 Q)     A in {0, 1}, S and Q in [0, 1]

F is 1 if the reply could be read, else 0. D is the new picture's score less the old one's; S and
Q are ((new - old) / 10 + 1) / 2 of the semantics and quality marks. Where no new picture is made
(the old one is right already) or none came in time, the step's part is neutral: D 0, S and Q 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

FULL_MARK = 10.0
TIME_LIMIT_S = 70.0
"""How long drawing and marking the new picture may take. Source: released code."""
_NEUTRAL_CHANGE = 0.5


class RewardForm(StrEnum):
    """Which published formula."""

    PAPER = "paper"
    RELEASED = "released"


class Marking(StrEnum):
    """What a picture's marks say to the step's part of the reward."""

    GRADED = "graded"
    """How good it is, as published."""
    EXACT = "exact"
    """Whether it is right, where that is known: all marks or none."""


@dataclass(frozen=True, slots=True)
class Marks:
    """A picture's marks, 0 to 10 each."""

    semantics: float
    quality: float

    @property
    def usable(self) -> bool:
        """Whether both are numbers."""
        return isfinite(self.semantics) and isfinite(self.quality)

    @property
    def score(self) -> float:
        """One figure of 0 to 1: the mean of both, as a zero in one must not hide the other."""
        return (_bounded(self.semantics) + _bounded(self.quality)) / (2 * FULL_MARK)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one reply of the critic led to.

    Attributes:
        verdict: Its verdict; None if the reply could not be read.
        truth: Whether the picture that was judged is right.
        old: Marks of the picture that was judged.
        new: Marks of the picture drawn by the refined prompt from the step's original source;
            None if none was drawn (in time).
    """

    verdict: bool | None
    truth: bool
    old: Marks | None = None
    new: Marks | None = None

    @property
    def redrawn(self) -> bool:
        """Whether there are two pictures to compare."""
        found = self.old is not None and self.new is not None
        return not self.truth and self.verdict is not None and found


@dataclass(frozen=True, slots=True)
class Weights:
    """Shares of the parts. ``format`` counts against the rest, which adds up to 1.

    In the paper's form the whole step's part weighs ``semantics`` + ``quality`` = 1 - a.
    """

    format: float = 0.5
    accuracy: float = 0.2
    semantics: float = 0.6
    quality: float = 0.2

    def with_accuracy(self, share: float) -> Weights:
        """The verdict weighs ``share`` (a, 0 to 1), the step's parts the rest, as they were."""
        step = self.semantics + self.quality
        rest = (1 - share) / step if step else 0.0
        return Weights(self.format, share, rest * self.semantics, rest * self.quality)

    def without_step(self) -> Weights:
        """Only the verdict counts (ablation)."""
        return Weights(self.format, 1.0, 0.0, 0.0)

    def without_accuracy(self) -> Weights:
        """Only the pictures count (ablation)."""
        step = self.semantics + self.quality
        if step == 0:
            return Weights(self.format, 0.0, 0.0, 0.0)
        return Weights(self.format, 0.0, self.semantics / step, self.quality / step)


@dataclass(frozen=True, slots=True)
class Reward:
    """The reward and what it is made of, unweighted; for the paper's form both changes are D."""

    total: float
    format: float
    accuracy: float
    semantics: float
    quality: float


PUBLISHED = Weights()


def format_reward(outcome: Outcome) -> float:
    """1 if the reply could be read."""
    return 0.0 if outcome.verdict is None else 1.0


def accuracy_reward(outcome: Outcome, form: RewardForm) -> float:
    """Right 1 and wrong 0 (released), right 0 and wrong -1 (paper); unreadable is wrong."""
    right = float(outcome.verdict == outcome.truth)
    return right if form is RewardForm.RELEASED else right - 1


def score_change(outcome: Outcome) -> float:
    """The paper's D, -1 to 1; 0 without two usable pictures."""
    old, new = outcome.old, outcome.new
    if not outcome.redrawn or old is None or new is None or not (old.usable and new.usable):
        return 0.0
    return new.score - old.score


def changes(outcome: Outcome) -> tuple[float, float]:
    """The released S and Q, 0 to 1; 0.5 each without two usable pictures."""
    old, new = outcome.old, outcome.new
    if not outcome.redrawn or old is None or new is None or not (old.usable and new.usable):
        return _NEUTRAL_CHANGE, _NEUTRAL_CHANGE
    return _change(old.semantics, new.semantics), _change(old.quality, new.quality)


def reward(outcome: Outcome, form: RewardForm, weights: Weights = PUBLISHED) -> Reward:
    """The reward of one reply."""
    readable = format_reward(outcome)
    accuracy = accuracy_reward(outcome, form)
    if form is RewardForm.PAPER:
        semantics = quality = score_change(outcome)
    else:
        semantics, quality = changes(outcome)
    rest = weights.accuracy * accuracy + weights.semantics * semantics + weights.quality * quality
    total = weights.format * readable + (1 - weights.format) * rest
    return Reward(total, readable, accuracy, semantics, quality)


def _change(old: float, new: float) -> float:
    return ((_bounded(new) - _bounded(old)) / FULL_MARK + 1) / 2


def _bounded(mark: float) -> float:
    return min(FULL_MARK, max(0.0, mark))
