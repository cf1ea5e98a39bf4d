"""Micro-batching: calls that wait at the same time are drawn together.

Which calls go together and in what order is ``waiting``'s decision; here are the event loop,
the clock and cancellation.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

from prometheus_client import Gauge, Histogram

from services.generator.waiting import Waiting, WaitingCalls
from shared.errors import BadReplyError, ServiceUnavailableError

Item = TypeVar("Item")
Result = TypeVar("Result")

QUEUED: Final = Gauge("interleave_generator_waiting", "Calls waiting for the model")
BATCH_SIZES: Final = Histogram(
    "interleave_generator_batch_size", "Calls per batch", buckets=(1, 2, 4, 8, 16, 32)
)


@dataclass(frozen=True, slots=True, eq=False)
class _Ticket(Generic[Item, Result]):
    item: Item
    answer: asyncio.Future[Result] = field(default_factory=asyncio.Future)


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How far batching may go."""

    max_batch: int = 8
    max_wait_s: float = 0.01
    """How long the first call waits for company while the model is free."""
    max_waiting: int = 256
    """More waiting calls than this are turned away."""


class Batcher(Generic[Item, Result]):
    """Collects calls and hands them to ``draw`` in batches of one shape.

    Use ``serve`` in a task of its own, one per lane; ``submit`` from anywhere in the loop.
    """

    def __init__(
        self,
        draw: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        limits: BatchLimits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._draw = draw
        self._limits = limits
        self._clock = clock
        self._waiting: WaitingCalls[_Ticket[Item, Result]] = WaitingCalls()
        self._arrived = asyncio.Event()

    async def submit(
        self, item: Item, *, shape: Hashable, owner: str = "", speculative: bool = False
    ) -> Result:
        """The result for ``item``.

        Cancelling this leaves the queue, or stops the batch when nobody else waits for it.

        Raises:
            ServiceUnavailableError: if too many calls wait.
        """
        if len(self._waiting) >= self._limits.max_waiting:
            raise ServiceUnavailableError("Too many calls wait for this generator.")
        ticket: _Ticket[Item, Result] = _Ticket(item)
        call = self._waiting.add(
            ticket, shape=shape, owner=owner, speculative=speculative, now_s=self._clock()
        )
        self._note_change()
        try:
            return await ticket.answer
        finally:
            if self._waiting.remove(call):
                self._note_change()

    def lower_max_batch(self, max_batch: int) -> None:
        """Draw at most this many together from now on."""
        lower = min(max_batch, self._limits.max_batch)
        self._limits = replace(self._limits, max_batch=lower)

    async def serve(self) -> None:
        """Draw batches for ever."""
        while True:
            await self._company()
            batch = self._waiting.take(self._limits.max_batch, now_s=self._clock())
            self._note_change()
            if batch:
                BATCH_SIZES.observe(len(batch))
                await self._run([call.item for call in batch])

    async def _company(self) -> None:
        """Wait until a batch is full, or its first call has waited long enough."""
        while True:
            self._arrived.clear()
            batch = self._waiting.next_batch(self._limits.max_batch, now_s=self._clock())
            if len(batch) >= self._limits.max_batch:
                return
            patience_s = self._patience_s(batch)
            if patience_s is not None and patience_s <= 0:
                return
            try:
                await asyncio.wait_for(self._arrived.wait(), patience_s)
            except TimeoutError:
                return

    def _patience_s(self, batch: Sequence[Waiting[_Ticket[Item, Result]]]) -> float | None:
        if not batch:
            return None
        oldest_s = min(call.arrived_at_s for call in batch)
        return oldest_s + self._limits.max_wait_s - self._clock()

    async def _run(self, tickets: Sequence[_Ticket[Item, Result]]) -> None:
        work = asyncio.ensure_future(self._draw([ticket.item for ticket in tickets]))

        def stop_if_nobody_waits(_answer: asyncio.Future[Result]) -> None:
            if all(ticket.answer.cancelled() for ticket in tickets):
                work.cancel()

        for ticket in tickets:
            ticket.answer.add_done_callback(stop_if_nobody_waits)
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            work.cancel()
            raise
        finally:
            _deliver(work, tickets)

    def _note_change(self) -> None:
        QUEUED.set(len(self._waiting))
        self._arrived.set()


def _deliver(
    work: asyncio.Future[Sequence[Result]], tickets: Sequence[_Ticket[Item, Result]]
) -> None:
    error, results = _outcome(work, len(tickets))
    for ticket, result in zip(tickets, results, strict=False):
        if not ticket.answer.done():
            ticket.answer.set_result(result)
    for ticket in tickets:
        if not ticket.answer.done():
            ticket.answer.set_exception(error)


def _outcome(
    work: asyncio.Future[Sequence[Result]], expected: int
) -> tuple[BaseException, Sequence[Result]]:
    if not work.done() or work.cancelled():
        return ServiceUnavailableError("The generator is shutting down."), ()
    if (error := work.exception()) is not None:
        return error, ()
    results = work.result()
    missing = BadReplyError(f"{len(results)} pictures came for {expected} calls.")
    return missing, (results if len(results) == expected else ())
