"""The judge: a chat model that answers in JSON, asked at temperature 0, its answers kept.

A judge that cannot be reached, refuses, or answers rubbish gives a ``JudgeFailure``; no score
is ever made up. Not here: what is asked (one module per benchmark).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from services.trainer.benchmarks.folder import write_atomically
from shared.errors import InterleaveError
from shared.llm.engine import ChatEngine, ChatMessage, ImagePart, Part, TextPart

Reply = TypeVar("Reply", bound=BaseModel)
_LONGEST_REPLY = 1_000_000


class FailureKind(StrEnum):
    """Why there is no judgement."""

    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class JudgeFailure:
    """No judgement, and why."""

    kind: FailureKind
    detail: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is put to the judge."""

    system: str
    parts: tuple[Part, ...]
    max_tokens: int = 1024

    def messages(self) -> tuple[ChatMessage, ...]:
        """The conversation so far."""
        return (
            ChatMessage("system", (TextPart(self.system),)),
            ChatMessage("user", self.parts),
        )


class Judge:
    """Asks a model and reads its answers as the type that is wanted."""

    def __init__(
        self,
        engine: ChatEngine,
        *,
        cache: Path | None = None,
        tries: int = 3,
        concurrency: int = 8,
        pause_s: float = 1.0,
    ) -> None:
        """Answers are kept in the folder ``cache``, by model and question."""
        self._engine = engine
        self._cache = cache
        self._tries = tries
        self._slots = asyncio.Semaphore(concurrency)
        self._pause_s = pause_s
        self.calls = 0
        self.kept = 0

    @property
    def model(self) -> str:
        """Who judges."""
        return self._engine.model

    async def ask(self, question: Question, wanted: type[Reply]) -> Reply | JudgeFailure:
        """The judge's answer, from the cache when it was asked before.

        Raises:
            ResultsFolderError: The answer cannot be kept.
        """
        path = self._path(question)
        kept = _kept(path, wanted)
        if kept is not None:
            self.kept += 1
            return kept
        async with self._slots:
            text, answer = await self._asked(question, wanted)
        if path is not None and not isinstance(answer, JudgeFailure):
            write_atomically(path, text.encode())
        return answer

    async def _asked(
        self, question: Question, wanted: type[Reply]
    ) -> tuple[str, Reply | JudgeFailure]:
        failure = JudgeFailure(FailureKind.UNREACHABLE, "never asked")
        for attempt in range(self._tries):
            try:
                text = await self._text(question, seed=attempt)
            except InterleaveError as error:
                if not error.retryable:
                    return "", JudgeFailure(FailureKind.REFUSED, error.detail)
                failure = JudgeFailure(FailureKind.UNREACHABLE, error.detail)
                await asyncio.sleep(self._pause_s * 2**attempt)
                continue
            answer = read_reply(text, wanted)
            if answer is not None:
                return text, answer
            failure = JudgeFailure(FailureKind.UNREADABLE, text[:200])
        return "", failure

    async def _text(self, question: Question, *, seed: int) -> str:
        self.calls += 1
        pieces: list[str] = []
        stream = self._engine.stream(
            question.messages(), max_tokens=question.max_tokens, temperature=0.0, seed=seed
        )
        async for piece in stream:
            pieces.append(piece)
        return "".join(pieces)

    def _path(self, question: Question) -> Path | None:
        if self._cache is None:
            return None
        digest = question_digest(self._engine.model, question)
        return self._cache / digest[:2] / f"{digest}.txt"


def question_digest(model: str, question: Question) -> str:
    """What a question is kept by: the model and every byte it is shown."""
    digest = hashlib.sha256()
    for part in (TextPart(model), TextPart(question.system), *question.parts):
        content = part.png if isinstance(part, ImagePart) else part.text.encode()
        kind = b"image" if isinstance(part, ImagePart) else b"text"
        digest.update(kind + len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def read_reply(text: str, wanted: type[Reply]) -> Reply | None:
    """The last JSON object in the text that is an answer of the wanted type."""
    answers: list[Reply] = []
    for found in json_objects(text[:_LONGEST_REPLY]):
        try:
            answers.append(wanted.model_validate(found))
        except ValidationError:
            continue
    return answers[-1] if answers else None


def json_objects(text: str) -> Iterator[object]:
    """Every outermost JSON object in a text."""
    decoder = json.JSONDecoder()
    at = text.find("{")
    while at >= 0:
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield found
        at = text.find("{", end)


def _kept(path: Path | None, wanted: type[Reply]) -> Reply | None:
    if path is None or not path.exists():
        return None
    return read_reply(path.read_text("utf-8", errors="replace"), wanted)
