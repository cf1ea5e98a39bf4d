"""What CoMM's judge is asked, and the answers that count.

Not here: when it is asked (``comm``).
"""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import BaseModel, Field, create_model

from services.trainer.benchmarks.answers import NUMBER

_SCALE = "Give marks from 0 (worst) to 10 (best). Reply with one JSON object: "
_ASPECTS = {
    "style": "are the pictures of one style?",
    "entity": "do the same things look the same throughout?",
    "trend": "do the pictures progress as the steps do?",
    "completeness": "is everything there that the request needs?",
    "image_quality": "are the pictures sharp, natural and whole?",
}
IMAGINE = (
    "You read a document whose pictures were taken out; [picture 1] and so on mark their places. "
    'Say for each what it should show. Reply with one JSON object: {"pictures": ["...", "..."]}, '
    "one text per picture, in order."
)
COMPARE = (
    "Each picture comes after a text that says what it should show. How well do the pictures "
    f'show it, over all? {_SCALE}{{"illustration_relevance": 0}}.'
)
TEXTS = (
    "You mark texts written for the given pictures. completeness: is every picture covered, with "
    "all that matters? illustration_relevance: do the texts say what the pictures show? "
    f'{_SCALE}{{"completeness": 0, "illustration_relevance": 0}}.'
)
Mark = Annotated[float, NUMBER, Field(ge=0, le=10)]


class PictureMarks(BaseModel):
    """The first call's marks of task 2, where the texts are given."""

    style: Mark
    entity: Mark
    trend: Mark
    image_quality: Mark


class DocumentMarks(PictureMarks):
    """The first call's marks."""

    completeness: Mark


class Imagined(BaseModel):
    """The second call's answer: what each picture should show."""

    pictures: tuple[str, ...]


class Relevance(BaseModel):
    """The third call's mark."""

    illustration_relevance: Mark


class TextMarks(BaseModel):
    """Marks of task 1, where no picture is made."""

    completeness: Mark
    illustration_relevance: Mark


def document_question(wanted: type[PictureMarks]) -> str:
    """The first call's words, for the marks that are wanted."""
    asked = " ".join(f"{n}: {_ASPECTS[n]}" for n in _ASPECTS if n in wanted.model_fields)
    shape = json.dumps(dict.fromkeys((n for n in _ASPECTS if n in wanted.model_fields), 0))
    return (
        f"You mark a document of text and pictures that answers a request. {asked} {_SCALE}{shape}."
    )


def imagined_texts(count: int) -> type[Imagined]:
    """An answer with one text for each of so many pictures; any other is no answer."""
    texts = Annotated[tuple[str, ...], Field(min_length=count, max_length=count)]
    return create_model("Imagined", __base__=Imagined, pictures=(texts, ...))
