"""From a model's whole reply to the object in its answer, one rung after the other.

The answer's tags (or the whole reply), then strict JSON, then the lenient reader, then a Python
literal. Not here: what the object must hold (``planner``, ``critic``).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from typing import cast

from shared.prompts.lenient import UnreadableError, Value, read_lenient
from shared.prompts.pack import AnswerFormat

_MAX_CHARACTERS = 200_000
_THOUGHT = re.compile(r"<think>(.*?)(?:</think>|\Z)", re.DOTALL)
_OPENERS = re.compile(r"[{\[]")
_MAX_STARTS = 8
_READ_ERRORS = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)


class UnparsableReplyError(ValueError):
    """A model's reply is not in its format; the message says what was missing."""


def thought_of(reply: str) -> str:
    """What the model wrote in its ``<think>`` part, or nothing."""
    match = _THOUGHT.search(reply)
    if match:
        return match[1].strip()
    thought, closed, _ = reply.partition("</think>")
    return thought.strip() if closed else ""


def after_thought(reply: str) -> str | None:
    """The reply behind its ``<think>`` part; None while that is (or may be) still open."""
    head = reply.lstrip()
    if "</think>" in reply:
        return reply.partition("</think>")[2]
    if head.startswith("<think>") or "<think>".startswith(head):
        return None
    return reply


def read_answer(reply: str, answer: AnswerFormat) -> Iterator[Value]:
    """Every reading of the reply that gives an object or a list, the most trusted first."""
    for text in _candidates(reply[:_MAX_CHARACTERS], answer):
        for rung in (_strict, _lenient, _literal):
            yield from rung(text)


def _candidates(reply: str, answer: AnswerFormat) -> Iterator[str]:
    """The content of the last answer tag, else the reply without its thought, else all of it."""
    _, opened, rest = reply.rpartition(answer.open)
    if opened:
        yield rest.partition(answer.close)[0]
    behind = after_thought(reply)
    if behind is not None:
        yield behind
    yield reply


def _starts(text: str) -> list[int]:
    return [match.start() for match in _OPENERS.finditer(text)][:_MAX_STARTS]


def _strict(text: str) -> Iterator[Value]:
    yield from _tried(lambda: cast("Value", json.loads(text)))


def _lenient(text: str) -> Iterator[Value]:
    for start in _starts(text):
        yield from _tried(lambda start=start: read_lenient(text, start))


def _literal(text: str) -> Iterator[Value]:
    start, end = text.find("{"), text.rfind("}")
    if 0 <= start < end:
        yield from _tried(lambda: cast("Value", ast.literal_eval(text[start : end + 1])))


def _tried(read: Callable[[], Value]) -> Iterator[Value]:
    try:
        value = read()
    except (UnreadableError, *_READ_ERRORS):
        return
    if isinstance(value, dict | list):
        yield value
