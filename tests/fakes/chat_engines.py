"""Chat engines without models, named by how they fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from shared.errors import InterleaveError, ServiceRejectedError, ServiceUnavailableError
from shared.llm.engine import ChatMessage


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of an engine."""

    messages: tuple[ChatMessage, ...]
    max_tokens: int
    temperature: float
    seed: int


@dataclass
class Says:
    """Gives these replies one after the other (the last one for ever), in small pieces."""

    replies: tuple[str, ...]
    piece_characters: int = 7
    model: str = "fake-chat"
    asked: list[Asked] = field(default_factory=list)
    pieces_given: int = 0
    closed_early: int = 0

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncGenerator[str]:
        reply = self.replies[min(len(self.asked), len(self.replies) - 1)]
        self.asked.append(Asked(tuple(messages), max_tokens, temperature, seed))
        try:
            for place in range(0, len(reply), self.piece_characters):
                await asyncio.sleep(0)
                self.pieces_given += 1
                yield reply[place : place + self.piece_characters]
        except (GeneratorExit, asyncio.CancelledError):
            self.closed_early += 1
            raise

    async def health(self) -> None:
        return

    async def aclose(self) -> None:
        return


@dataclass
class StopsInTheMiddle(Says):
    """Loses its connection after some pieces."""

    error: InterleaveError = field(default_factory=lambda: ServiceUnavailableError("gone"))
    after_pieces: int = 2

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncGenerator[str]:
        reply = self.replies[0]
        for number in range(self.after_pieces):
            start = number * self.piece_characters
            yield reply[start : start + self.piece_characters]
        raise self.error


@dataclass
class NeverAnswers(Says):
    """Waits for ever before the first piece; notes that it was stopped."""

    replies: tuple[str, ...] = ("",)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncGenerator[str]:
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped.set()
        yield "unreachable"


@dataclass
class RefusesEverything(Says):
    """Says that the conversation is too long."""

    replies: tuple[str, ...] = ("",)

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncGenerator[str]:
        raise ServiceRejectedError("too long")
        yield ""


def dies_in_setup() -> Says:
    """A factory of engines that fails."""
    message = "no such folder"
    raise FileNotFoundError(message)
