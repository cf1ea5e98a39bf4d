"""A judge's reply read as the type that is wanted; total: whatever it wrote, this gives or None.

Not here: asking (``judge``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError

Reply = TypeVar("Reply", bound=BaseModel)
_LONGEST_READ = 20_000
"""Characters from the end that are searched: bounds the time that rubbish can take."""


def _no_truth_value(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a mark is a number")  # noqa: TRY004 - pydantic reads ValueError
    return value


NUMBER = BeforeValidator(_no_truth_value)
"""For marks on a scale: ``true`` is no 1."""


def writable(text: str) -> str:
    """A text that any file can hold: halves of characters are joined, or become a mark."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def read_reply(text: str, wanted: type[Reply]) -> Reply | None:
    """The last JSON object in the text that is an answer of the wanted type."""
    answers: list[Reply] = []
    for found in json_objects(text[-_LONGEST_READ:]):
        try:
            answers.append(wanted.model_validate(found))
        except ValidationError:
            continue
    return answers[-1] if answers else None


def json_objects(text: str) -> Iterator[object]:
    """Every outermost JSON object in a text, up to one that is too deep to be read."""
    decoder = json.JSONDecoder()
    at = text.find("{")
    while at >= 0:
        try:
            found, end = decoder.raw_decode(text, at)
        except RecursionError:
            return
        except ValueError:
            end = at + 1
        else:
            yield found
        at = text.find("{", end)
