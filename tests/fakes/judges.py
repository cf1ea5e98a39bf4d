"""Judges that answer from a script, or fail in a known way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from services.trainer.benchmarks.rehearsal.judge import Answering
from shared.errors import ServiceRejectedError, ServiceUnavailableError
from shared.llm.engine import ChatMessage, TextPart


def text_of(messages: Sequence[ChatMessage]) -> str:
    """All text of a conversation."""
    return "\n".join(p.text for m in messages for p in m.parts if isinstance(p, TextPart))


class Answers:
    """Answers what a function says to the conversation; keeps what it was asked."""

    model = "answers"

    def __init__(self, answer: Callable[[str, int], str]) -> None:
        """``answer`` is given the whole text and the number of images."""
        self._answer = answer
        self.asked: list[Sequence[ChatMessage]] = []
        self.temperatures: set[float] = set()

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncGenerator[str]:
        """The answer in two pieces."""
        self.asked.append(messages)
        self.temperatures.add(temperature)
        images = sum(len(message.images) for message in messages)
        text = self._answer(text_of(messages), images)
        middle = len(text) // 2
        yield text[:middle]
        yield text[middle:]

    async def health(self) -> None:
        """Always able."""

    async def aclose(self) -> None:
        """Nothing to free."""


class Looks(Answers):
    """Hands whole conversations, pictures and all, to something that answers them."""

    def __init__(self, judge: Answering) -> None:
        """``judge`` sees what a server would."""
        super().__init__(lambda _text, _images: "")
        self._judge = judge

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncGenerator[str]:
        """The answer in one piece."""
        self.asked.append(messages)
        yield self._judge.answer(list(messages))


class UnavailableAtFirst(Answers):
    """Cannot be reached the first times it is asked."""

    def __init__(self, times: int, answer: str) -> None:
        """Fail so many times, then give the answer."""
        super().__init__(lambda _text, _images: self._next())
        self._times = times
        self._final = answer

    def _next(self) -> str:
        self._times -= 1
        if self._times >= 0:
            raise ServiceUnavailableError("down")
        return self._final


class RubbishAtFirst(UnavailableAtFirst):
    """Answers no JSON the first times."""

    def _next(self) -> str:
        self._times -= 1
        return "no idea {criteria" if self._times >= 0 else self._final


class NeverEnds(Answers):
    """Goes on and on, without a word that counts."""

    def __init__(self) -> None:
        """Nothing to set up."""
        super().__init__(lambda _text, _images: "")

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncGenerator[str]:
        """One more piece, for ever."""
        self.asked.append(messages)
        while True:
            await asyncio.sleep(0.01)
            yield "hm "


class Refuses(Answers):
    """Refuses every conversation for good."""

    def __init__(self) -> None:
        """Nothing to set up."""
        super().__init__(lambda _text, _images: "")

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncGenerator[str]:
        """Refuse."""
        self.asked.append(messages)
        raise ServiceRejectedError("too many images")
        yield ""
