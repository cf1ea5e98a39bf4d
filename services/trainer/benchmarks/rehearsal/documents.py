"""Marks for documents of texts and pictures: CoMM, OpenING.

Not here: single pictures (``marks``).
"""

from __future__ import annotations

from collections.abc import Iterator

from services.trainer.benchmarks.rehearsal.asked import MARK, Asked, Reply
from services.trainer.benchmarks.rehearsal.looking import changing, clearness, kept, named, told
from services.trainer.benchmarks.scores import OPENING_SCORES
from services.trainer.sketchbook.captions import sentence_is_right

_HALF = 0.5
_UNSAID = "nothing is said of it"


def document(asked: Asked) -> Reply:
    """Marks of a document of texts and pictures."""
    answer = asked.answer()
    pictures, texts = answer.pictures, [t for t in answer.texts if not MARK.fullmatch(t)]
    marks = {
        "style": sum(seen is not None and seen.legible for seen in pictures) / len(pictures),
        "entity": kept(pictures),
        "trend": changing(pictures),
        "completeness": min(1.0, len(pictures) / len(texts)) if texts else _HALF,
        "image_quality": sum(map(clearness, pictures)) / len(pictures),
    }
    return {name: round(10 * share, 1) for name, share in marks.items()}


def imagine(asked: Asked) -> Reply:
    """What the pictures of a document should show: what the text before says."""
    before = ""
    shown: list[str] = []
    for text in asked.texts:
        if MARK.fullmatch(text):
            shown.append(before or _UNSAID)
        else:
            before = text
    return {"pictures": shown}


def compare(asked: Asked) -> Reply:
    """How well pictures show what is said before them."""
    shares = list(_told_pairs(asked))
    return {"illustration_relevance": round(10 * sum(shares) / len(shares), 1) if shares else 0}


def _told_pairs(asked: Asked) -> Iterator[float]:
    """How much of its text each picture shows: half of one that names nothing, none of no text."""
    before = ""
    for part in asked.parts:
        if isinstance(part, str):
            before = part if not MARK.fullmatch(part) else before
        else:
            share = told(before, part) if before not in ("", _UNSAID) else 0.0
            yield _HALF if share is None else share


def texts(asked: Asked) -> Reply:
    """Marks of texts written for given pictures."""
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


def opening(asked: Asked) -> Reply:
    """The seven marks of an answer."""
    answer = asked.answer()
    if not answer.pictures:
        return dict.fromkeys(OPENING_SCORES, 2)
    whole, relevance = document(asked), compare(answer)["illustration_relevance"]
    marks = (
        relevance, relevance, whole["entity"], whole["image_quality"],
        whole["style"], whole["completeness"], whole["trend"],
    )  # fmt: skip
    return dict(zip(OPENING_SCORES, marks, strict=True))
