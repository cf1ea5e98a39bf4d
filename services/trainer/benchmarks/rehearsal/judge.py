"""A judge for rehearsals: reads the Sketchbook pictures it is sent and marks what it sees.

It answers in the form that each benchmark's question asks for and knows no answers: all it has is
the question's texts and pictures. Outside the Sketchbook world its marks mean nothing. Not here:
serving it (``cli``), what is measured (``looking``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.trainer.benchmarks.rehearsal.looking import (
    Seen,
    agreement,
    changing,
    clearness,
    kept,
    look,
    named,
    sorts_of_change,
    told,
)
from services.trainer.benchmarks.scores import OPENING_SCORES
from services.trainer.sketchbook.captions import sentence_is_right
from shared.llm.engine import ChatMessage, ImagePart, TextPart

_ANSWER = "The answer:"
_MARK = re.compile(r"\[picture \d+\]")
_HALF = 0.5
_UNSAID = "nothing is said of it"
_GOOD = 0.9
Reply = dict[str, object]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: the system's words, then texts and pictures in their order."""

    system: str
    parts: tuple[str | Seen, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts."""
        return tuple(part for part in self.parts if isinstance(part, str))

    @property
    def pictures(self) -> tuple[Seen, ...]:
        """All pictures."""
        return tuple(part for part in self.parts if not isinstance(part, str))

    def after(self, start: str) -> str:
        """The rest of the text that starts so; empty when there is none."""
        return next((t.removeprefix(start).strip() for t in self.texts if t.startswith(start)), "")

    def answer(self) -> Asked:
        """What comes after the request."""
        at = self.parts.index(_ANSWER) + 1 if _ANSWER in self.parts else 0
        return Asked(self.system, self.parts[at:])


class Answering(Protocol):
    """Answers conversations."""

    def answer(self, messages: list[ChatMessage]) -> str:
        """The whole reply."""
        ...


class LookingJudge:
    """Marks what it sees."""

    def answer(self, messages: list[ChatMessage]) -> str:
        """A JSON object after a sentence of reasoning, as judges write."""
        question = _asked(messages)
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


def _asked(messages: Sequence[ChatMessage]) -> Asked:
    parts = [part for m in messages if m.role == "user" for part in m.parts]
    system = "".join(
        p.text for m in messages if m.role == "system" for p in m.parts if isinstance(p, TextPart)
    )
    seen = (look(part.png) if isinstance(part, ImagePart) else part.text for part in parts)
    return Asked(system, tuple(seen))


def _rubric(asked: Asked) -> Reply:
    criterion = asked.after("Criterion:")
    for start, check in _RUBRICS.items():
        if criterion.startswith(start):
            return {"criteria_met": check(criterion.removeprefix(start).strip(), asked)}
    return {"criteria_met": "not sure"}


def _mentions(rest: str, asked: Asked) -> bool:
    return rest.rstrip(".").lower() in asked.after("Answer in text:").lower()


def _many(rest: str, asked: Asked) -> bool:
    return len(asked.pictures) >= int(rest.split(maxsplit=1)[0])


def _last(rest: str, asked: Asked) -> bool:
    return agreement(rest, asked.pictures[-1]) == 1.0


def _every(rest: str, asked: Asked) -> bool:
    return all(told(rest, seen) == 1.0 for seen in asked.pictures)


_RUBRICS: dict[str, Callable[[str, Asked], bool]] = {
    "The text mentions": _mentions,
    "There are at least": _many,
    "The last picture shows:": _last,
    "Every picture shows": _every,
}


def _wise(asked: Asked) -> Reply:
    share = agreement(asked.after("What is meant:"), asked.pictures[-1]) or 0.0
    clear = clearness(asked.pictures[-1])
    steps = [share, 1.0 if asked.pictures[-1] and asked.pictures[-1].legible else clear, clear]
    marks = [2 if s >= (1.0 if i == 0 else _GOOD) else int(s >= _HALF) for i, s in enumerate(steps)]
    return dict(zip(("consistency", "realism", "aesthetics"), marks, strict=True))


def _wise_verified(asked: Asked) -> Reply:
    return {"correct": int(agreement(asked.after("What is meant:"), asked.pictures[-1]) == 1.0)}


def _rise_consistency(asked: Asked) -> Reply:
    changes = sorts_of_change(asked.pictures[0], asked.pictures[-1])
    return _rise(asked, max(0.0, 1 - max(0, changes - 1) / 4))


def _rise_reasoning(asked: Asked) -> Reply:
    words = asked.after("The reference:")
    if words:
        return _rise(asked, agreement(words, asked.pictures[-1]) or 0.0)
    return _rise(asked, max(0.0, 1 - sorts_of_change(asked.pictures[0], asked.pictures[-1]) / 4))


def _rise_plausibility(asked: Asked) -> Reply:
    seen = asked.pictures[-1]
    return _rise(asked, 1.0 if seen is not None and seen.legible else clearness(seen))


def _rise(asked: Asked, share: float) -> Reply:
    if "else 0" in asked.system:
        return {"score": int(share >= 1)}
    return {"score": 5 if share >= _GOOD + 0.05 else 1 + int(4 * share)}


def _document(asked: Asked) -> Reply:
    answer = asked.answer()
    pictures, texts = answer.pictures, [t for t in answer.texts if not _MARK.fullmatch(t)]
    marks = {
        "style": sum(seen is not None and seen.legible for seen in pictures) / len(pictures),
        "entity": kept(pictures),
        "trend": changing(pictures),
        "completeness": min(1.0, len(pictures) / len(texts)) if texts else _HALF,
        "image_quality": sum(map(clearness, pictures)) / len(pictures),
    }
    return {name: round(10 * share, 1) for name, share in marks.items()}


def _imagine(asked: Asked) -> Reply:
    before = ""
    shown: list[str] = []
    for text in asked.texts:
        if _MARK.fullmatch(text):
            shown.append(before or _UNSAID)
        else:
            before = text
    return {"pictures": shown}


def _compare(asked: Asked) -> Reply:
    shares = list(_told_pairs(asked))
    return {"illustration_relevance": round(10 * sum(shares) / len(shares), 1) if shares else 0}


def _told_pairs(asked: Asked) -> Iterator[float]:
    """How much of its text each picture shows: half of one that names nothing, none of no text."""
    before = ""
    for part in asked.parts:
        if isinstance(part, str):
            before = part if not _MARK.fullmatch(part) else before
        else:
            share = told(before, part) if before not in ("", _UNSAID) else 0.0
            yield _HALF if share is None else share


def _texts(asked: Asked) -> Reply:
    given = asked.pictures
    texts = [t for t in asked.answer().texts if t]
    right = [
        sentence_is_right(seen.scene, text) if seen else False
        for seen, text in zip(given, texts, strict=False)
    ]
    named_share = [named(t, seen.scene) for seen, t in zip(given, texts, strict=False) if seen]
    count = max(1, len(given))
    return {
        "completeness": round(10 * sum(named_share) / count, 1),
        "illustration_relevance": round(10 * sum(right) / count, 1),
    }


def _opening(asked: Asked) -> Reply:
    answer = asked.answer()
    if not answer.pictures:
        return dict.fromkeys(OPENING_SCORES, 2)
    document, relevance = _document(asked), _compare(answer)["illustration_relevance"]
    marks = (
        relevance, relevance, document["entity"], document["image_quality"],
        document["style"], document["completeness"], document["trend"],
    )  # fmt: skip
    return dict(zip(OPENING_SCORES, marks, strict=True))


_REPLIES: dict[str, Callable[[Asked], Reply]] = {
    "criteria_met": _rubric,
    '"consistency": 0, "realism"': _wise,
    '"correct"': _wise_verified,
    "leaves alone": _rise_consistency,
    "leads to": _rise_reasoning,
    "free of defects": _rise_plausibility,
    '"style"': _document,
    "were taken out": _imagine,
    "comes after a text": _compare,
    "texts written for": _texts,
    "seven keys": _opening,
    "": lambda _asked: {},
}
"""What to answer by words of the question; the first that fit win."""
