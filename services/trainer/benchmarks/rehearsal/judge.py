"""A judge for rehearsals: reads the Sketchbook pictures it is sent and marks what it sees.

It answers in the form that each benchmark's question asks for and knows no answers: all it has is
the question's texts and pictures. Outside the Sketchbook world its marks mean nothing. Not here:
serving it (``cli``), the marks (``marks``, ``documents``), what is measured (``looking``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Protocol

from services.trainer.benchmarks.rehearsal import documents, marks
from services.trainer.benchmarks.rehearsal.asked import Asked, Reply, asked_of
from shared.llm.engine import ChatMessage


class Answering(Protocol):
    """Answers conversations."""

    def answer(self, messages: list[ChatMessage]) -> str:
        """The whole reply."""
        ...


class LookingJudge:
    """Marks what it sees."""

    def answer(self, messages: list[ChatMessage]) -> str:
        """A JSON object after a sentence of reasoning, as judges write."""
        question = asked_of(messages)
        reply = next(make(question) for words, make in _REPLIES.items() if words in question.system)
        return f"I looked at {len(question.pictures)} pictures. {json.dumps(reply)}"


class RubbishNowAndThen:
    """Answers a share of the questions with rubbish, the same ones every time."""

    _KINDS = (
        "I cannot help with that.",
        '{"score": ',
        "",
        '{"score": 99, "criteria_met": "maybe"}',
    )

    def __init__(self, judge: Answering, share: float) -> None:
        """``share`` is from 0 to 1."""
        self._judge = judge
        self._share = share

    def answer(self, messages: list[ChatMessage]) -> str:
        """See ``Answering``."""
        digest = hashlib.sha256(repr(messages).encode()).digest()
        if int.from_bytes(digest[:4], "big") / 2**32 < self._share:
            return self._KINDS[digest[4] % len(self._KINDS)]
        return self._judge.answer(messages)


_REPLIES: dict[str, Callable[[Asked], Reply]] = {
    "criteria_met": marks.rubric,
    '"consistency": 0, "realism"': marks.wise,
    '"correct"': marks.wise_verified,
    "leaves alone": marks.rise_consistency,
    "leads to": marks.rise_reasoning,
    "free of defects": marks.rise_plausibility,
    '"style"': documents.document,
    "were taken out": documents.imagine,
    "comes after a text": documents.compare,
    "texts written for": documents.texts,
    "seven keys": documents.opening,
    "": lambda _asked: {},
}
"""What to answer by words of the question; the first that fit win."""
