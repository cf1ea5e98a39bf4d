"""The stages of training: which lessons in which shares, from which parent, how fast.

Seeing comes first (captions of single pictures break the plateau on which verdicts stay for
tens of thousands of samples), then each agent goes on from the same base.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from transformers import PreTrainedTokenizerFast

from services.trainer.sketchbook.agents import lessons
from services.trainer.sketchbook.agents.corpus import tokenizer_for
from services.trainer.sketchbook.agents.data import (
    Encoded,
    Task,
    encode_drill,
    encode_meaning,
)
from services.trainer.sketchbook.agents.outcomes import (
    BatchArtist,
    drawn_lesson,
    load_outcomes,
    write_outcomes,
)

GENERATOR = Path("models/sketchbook/generator")
CRITIC = Path("models/sketchbook/critic")
JUDGE = Path("models/ablation/judge")
_OUTCOMES = 4096

Tasks = dict[str, tuple[Task, float]]


@dataclass(frozen=True, slots=True)
class Stage:
    """One training run."""

    name: str
    parent: str | None
    """The stage it goes on from."""
    tasks: Callable[[Path], Tasks]
    minutes: float
    learning_rate: float
    batch: int = 32
    tail: float = 0.5
    """Share of the time over which the learning rate falls to nothing; 0: it never does."""
    start: Path | None = None
    """A finished agent's folder that it goes on from, in place of a stage."""
    parent_speaks: bool = True
    """False: only the parent's vision tower is worth taking."""
    words: bool = True
    """False: only the vision tower is taught, by reading places."""
    reading_weight: float = 0.0
    """Weight of the reading of places beside the loss of the words; 0 freezes the tower."""


def _see_tasks(_runs: Path) -> Tasks:
    return {"caption": (lessons.caption_lesson, 1.0)}


def _base_tasks(_runs: Path) -> Tasks:
    return {
        "caption": (lessons.caption_lesson, 0.38),
        "sentence": (lessons.sentence_lesson, 0.08),
        "change": (lessons.change_lesson, 0.22),
        "verdict": (lessons.synthetic_verdict_lesson, 0.2),
        "plan": (lessons.request_lesson, 0.12),
    }


def _critic_tasks(runs: Path) -> Tasks:
    return {
        "caption": (lessons.caption_lesson, 0.02),
        "change": (lessons.change_lesson, 0.03),
        "pairs": (partial(_pairs, tokenizer_for(runs)), 0.6),
        "verdict": (lessons.synthetic_verdict_lesson, 0.35),
    }


def _pairs(tokenizer: PreTrainedTokenizerFast, rng: Random) -> Encoded:
    return encode_drill(lessons.pairs_thought(rng), tokenizer)


def _meaning(tokenizer: PreTrainedTokenizerFast, rng: Random) -> Encoded:
    lesson, exact = lessons.meaning_drill(rng)
    return encode_meaning(lesson, exact, tokenizer)


def _drawn_tasks(runs: Path) -> Tasks:
    """Pictures by the generator itself, drawn when they are first needed."""
    folder = runs / "outcomes"
    if not folder.exists():
        write_outcomes(BatchArtist(GENERATOR), folder, count=_OUTCOMES, seed=1)
    tokenizer = tokenizer_for(runs)
    outcomes = load_outcomes(folder)
    tasks: Tasks = {
        "caption": (lessons.caption_lesson, 0.01),
        "change": (lessons.change_lesson, 0.02),
        "pairs": (partial(_pairs, tokenizer), 0.02),
        "meaning": (partial(_meaning, tokenizer), 0.45),
        "rewriting": (lessons.rewriting_lesson, 0.15),
        "verdict": (lessons.synthetic_verdict_lesson, 0.15),
    }
    if outcomes:
        tasks["drawn"] = (lambda rng: drawn_lesson(rng.choice(outcomes), rng), 0.2)
    return tasks


def _planner_tasks(_runs: Path) -> Tasks:
    return {
        "caption": (lessons.caption_lesson, 0.04),
        "sentence": (lessons.sentence_lesson, 0.08),
        "annotation": (lessons.annotation_lesson, 0.33),
        "manipulation": (lessons.manipulation_lesson, 0.13),
        "plan": (lessons.request_lesson, 0.42),
    }


def _both_tasks(runs: Path) -> Tasks:
    """One agent's share of each: half planning, half judging."""
    plans = {f"planner.{name}": kind for name, kind in _planner_tasks(runs).items()}
    verdicts = {f"critic.{name}": kind for name, kind in _drawn_tasks(runs).items()}
    return {name: (task, share / 2) for name, (task, share) in (plans | verdicts).items()}


_ALL = (
    Stage(
        "see", None, _see_tasks, minutes=4, learning_rate=2e-3, tail=0.3,
        words=False, reading_weight=1.0,
    ),
    Stage("base", "see", _base_tasks, minutes=21, learning_rate=1e-3, tail=0,
          parent_speaks=False),
    Stage("planner", "base", _planner_tasks, minutes=90, learning_rate=1e-3),
    Stage("judge", "planner", _critic_tasks, minutes=60, learning_rate=1e-3),
    Stage("critic", "judge", _drawn_tasks, minutes=60, learning_rate=1e-3, tail=0.6),
    # For the ablation: a critic with little of its fine-tuning, for RL to go on from.
    Stage("early", None, _drawn_tasks, minutes=14, learning_rate=1e-3, tail=0.5, start=JUDGE),
    # A critic that has learned to plan on top, in place of two agents.
    Stage("both", None, _both_tasks, minutes=45, learning_rate=1e-3, tail=0.6, start=CRITIC),
)  # fmt: skip
STAGES = {stage.name: stage for stage in _ALL}
