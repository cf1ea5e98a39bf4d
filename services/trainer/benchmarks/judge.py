"""The judge: a chat model that answers in JSON, asked at temperature 0, its answers kept.

A judge that cannot be reached, refuses, takes too long or answers rubbish gives a
``JudgeFailure``; no score is ever made up. Not here: what is asked (one module per benchmark),
reading replies (``answers``).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from services.trainer.benchmarks.answers import Reply, read_reply, writable
from services.trainer.benchmarks.folder import write_atomically
from shared.errors import BadReplyError, InterleaveError, ServiceTimeoutError
from shared.llm.engine import ChatEngine, ChatMessage, ImagePart, Part, TextPart

ANSWER_LIMIT_S = 300.0
"""How long one answer may take, from the question to its last piece."""
_DETAIL = 200


class FailureKind(StrEnum):
    """Why there is no judgement."""

    UNREACHABLE = "unreachable"
    TOO_SLOW = "too slow"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    NOT_ASKED = "not asked"
    """The judge had left too many questions in a row unanswered."""


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
        limit_s: float = ANSWER_LIMIT_S,
        give_up_after: int | None = None,
    ) -> None:
        """Answers are kept in the folder ``cache``, by model and question.

        After ``give_up_after`` questions in a row without an answer no more are asked.
        """
        self._engine = engine
        self._cache = cache
        self._tries = tries
        self.concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._pause_s = pause_s
        self._limit_s = limit_s
        self._give_up_after = give_up_after
        self._in_a_row = 0
        self.calls = 0
        self.kept = 0
        self.answered = 0
        self.failures: Counter[FailureKind] = Counter()
        self.reasons: dict[FailureKind, str] = {}
        """The first reason of each kind of failure."""

    @property
    def model(self) -> str:
        """Who judges."""
        return self._engine.model

    @property
    def gone(self) -> bool:
        """Whether so many questions in a row had no answer that no more are asked."""
        return self._give_up_after is not None and self._in_a_row >= self._give_up_after

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
        self._count(answer)
        if path is not None and not isinstance(answer, JudgeFailure):
            write_atomically(path, text.encode())
        return answer

    def _count(self, answer: object) -> None:
        if not isinstance(answer, JudgeFailure):
            self.answered += 1
            self._in_a_row = 0
            return
        self._in_a_row += 1
        self.failures[answer.kind] += 1
        self.reasons.setdefault(answer.kind, answer.detail)

    async def _asked(
        self, question: Question, wanted: type[Reply]
    ) -> tuple[str, Reply | JudgeFailure]:
        failure = JudgeFailure(FailureKind.NOT_ASKED, f"{self._in_a_row} failures in a row before")
        for attempt in range(0 if self.gone else self._tries):
            if attempt:
                await asyncio.sleep(self._pause(failure, attempt))
            try:
                text = writable(await self._text(question, seed=attempt))
            except InterleaveError as error:
                failure = _failure(error)
                if not error.retryable:
                    break
                continue
            answer = read_reply(text, wanted)
            if answer is not None:
                return text, answer
            failure = JudgeFailure(FailureKind.UNREADABLE, text[:_DETAIL] or "an empty answer")
        return "", failure

    def _pause(self, failure: JudgeFailure, attempt: int) -> float:
        """A judge that answers, if only rubbish, need not be given time to come back."""
        answers = failure.kind is FailureKind.UNREADABLE
        return 0.0 if answers else self._pause_s * 2 ** (attempt - 1)

    async def _text(self, question: Question, *, seed: int) -> str:
        self.calls += 1
        stream = self._engine.stream(
            question.messages(), max_tokens=question.max_tokens, temperature=0.0, seed=seed
        )
        try:
            async with asyncio.timeout(self._limit_s), aclosing(stream) as pieces:
                return "".join([piece async for piece in pieces])
        except TimeoutError as error:
            raise ServiceTimeoutError(f"no whole answer within {self._limit_s:g} s") from error

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


def _failure(error: InterleaveError) -> JudgeFailure:
    kind = FailureKind.UNREACHABLE if error.retryable else FailureKind.REFUSED
    if isinstance(error, ServiceTimeoutError):
        kind = FailureKind.TOO_SLOW
    if isinstance(error, BadReplyError):
        kind = FailureKind.UNREADABLE
    return JudgeFailure(kind, writable(error.detail)[:_DETAIL])


def _kept(path: Path | None, wanted: type[Reply]) -> Reply | None:
    if path is None or not path.exists():
        return None
    return read_reply(path.read_text("utf-8", errors="replace"), wanted)
