"""Micro-batching with a drawing function that only notes what it was given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from services.generator.batcher import Batcher, BatchLimits
from shared.errors import BadReplyError, ServiceUnavailableError


@dataclass
class Notebook:
    """Draws by upper-casing, when allowed to."""

    batches: list[list[str]] = field(default_factory=list)
    may_draw: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: int = 0

    async def draw(self, items: Sequence[str]) -> Sequence[str]:
        self.batches.append(list(items))
        try:
            await self.may_draw.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        return [item.upper() for item in items]


async def fails(_items: Sequence[str]) -> Sequence[str]:
    raise ServiceUnavailableError("out of memory")


async def forgets_one(items: Sequence[str]) -> Sequence[str]:
    return list(items)[1:]


@asynccontextmanager
async def serving(batcher: Batcher[str, str]) -> AsyncGenerator[None]:
    task = asyncio.create_task(batcher.serve())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_calls_that_wait_together_are_drawn_together() -> None:
    book = Notebook()
    book.may_draw.set()
    batcher = Batcher(book.draw, limits=BatchLimits(max_batch=4, max_wait_s=5))
    async with serving(batcher):
        results = await asyncio.gather(*(batcher.submit(name, shape=1) for name in "abcd"))
    assert results == list("ABCD")
    assert book.batches == [list("abcd")]


async def test_a_lone_call_waits_only_a_moment_for_company() -> None:
    book = Notebook()
    book.may_draw.set()
    batcher = Batcher(book.draw, limits=BatchLimits(max_batch=4, max_wait_s=0.02))
    async with serving(batcher), asyncio.timeout(1):
        assert await batcher.submit("a", shape=1) == "A"


async def test_calls_gather_while_the_model_is_busy() -> None:
    book = Notebook()
    batcher = Batcher(book.draw, limits=BatchLimits(max_batch=8, max_wait_s=0))
    async with serving(batcher):
        first = asyncio.create_task(batcher.submit("a", shape=1))
        await _settle()
        later = [asyncio.create_task(batcher.submit(name, shape=1)) for name in "bcd"]
        await _settle()
        book.may_draw.set()
        assert await asyncio.gather(first, *later) == list("ABCD")
    assert book.batches == [["a"], list("bcd")]


async def test_a_cancelled_waiting_call_is_never_drawn() -> None:
    book = Notebook()
    batcher = Batcher(book.draw, limits=BatchLimits(max_wait_s=0))
    async with serving(batcher):
        first = asyncio.create_task(batcher.submit("a", shape=1))
        await _settle()
        waiting = asyncio.create_task(batcher.submit("b", shape=1))
        await _settle()
        waiting.cancel()
        await _settle()
        book.may_draw.set()
        assert await first == "A"
        await _settle()
    assert book.batches == [["a"]]


async def test_a_batch_stops_only_when_nobody_waits_for_it() -> None:
    book = Notebook()
    batcher = Batcher(book.draw, limits=BatchLimits(max_batch=2, max_wait_s=5))
    async with serving(batcher):
        both = [asyncio.create_task(batcher.submit(name, shape=1)) for name in "ab"]
        await _settle()
        both[0].cancel()
        await _settle()
        assert book.stopped == 0
        both[1].cancel()
        await _settle()
        assert book.stopped == 1
        book.may_draw.set()
        others = (batcher.submit(name, shape=1) for name in "cd")
        assert await asyncio.gather(*others) == ["C", "D"]


async def test_a_failure_reaches_every_call_of_the_batch_and_the_next_is_served() -> None:
    batcher = Batcher(fails, limits=BatchLimits(max_batch=2, max_wait_s=5))
    async with serving(batcher):
        for _ in range(2):
            calls = (batcher.submit(name, shape=1) for name in "ab")
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(result, ServiceUnavailableError) for result in results)


async def test_too_few_pictures_are_nobodys() -> None:
    batcher = Batcher(forgets_one, limits=BatchLimits(max_batch=2, max_wait_s=5))
    async with serving(batcher):
        calls = (batcher.submit(name, shape=1) for name in "ab")
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(result, BadReplyError) for result in results)


async def test_a_full_queue_turns_calls_away() -> None:
    batcher = Batcher(Notebook().draw, limits=BatchLimits(max_waiting=1))
    waiting = asyncio.create_task(batcher.submit("a", shape=1))
    await _settle()
    with pytest.raises(ServiceUnavailableError):
        await batcher.submit("b", shape=1)
    waiting.cancel()


async def test_shutting_down_fails_what_is_being_drawn() -> None:
    batcher = Batcher(Notebook().draw, limits=BatchLimits(max_wait_s=0))
    async with serving(batcher):
        running = asyncio.create_task(batcher.submit("a", shape=1))
        await _settle()
    with pytest.raises(ServiceUnavailableError):
        await running
