"""Many items at a time, taken up where they were left; says how far it is and what is to come.

An item that the service refuses or that takes too long is kept as failed and counted. A service
that cannot be reached ends the run with its reason; the same command goes on from there.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.records import Item, Produced
from shared.errors import BadReplyError, ServiceRejectedError, ServiceTimeoutError

FAILED_HERE = "not_produced"
"""Status of an item that never became a trajectory with an end."""


class Producer(Protocol):
    """Makes something of an item; see ``service.InterleaveService``."""

    async def produce(self, item: Item, folder: ResultsFolder, *, key: str) -> Produced:
        """Run one item."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; estimates are None until an item of this run has ended.

    ``remaining_s`` is wall time at the present pace, ``remaining_calls`` generator calls at the
    present mean; ``cost_per_call`` makes them money.
    """

    total: int
    kept: int
    done: int
    failed: int
    elapsed_s: float
    generator_calls: int

    @property
    def remaining(self) -> int:
        """Items still to come."""
        return self.total - self.kept - self.done

    @property
    def remaining_s(self) -> float | None:
        """Seconds still to come."""
        return self.elapsed_s / self.done * self.remaining if self.done else None

    @property
    def remaining_calls(self) -> float | None:
        """Generator calls still to come."""
        return self.generator_calls / self.done * self.remaining if self.done else None

    def remaining_cost(self, cost_per_call: float) -> float | None:
        """What the calls still to come cost."""
        calls = self.remaining_calls
        return None if calls is None else calls * cost_per_call


def still_to_run(
    items: Sequence[Item], folder: ResultsFolder, *, retry_failed: bool = False
) -> list[Item]:
    """The items without a result, or with one that is to be tried again."""
    found = folder.results(items)
    return [item for item, got in found if got is None or (retry_failed and not got.delivered)]


class Runner:
    """Runs items through a producer, some at a time, into a folder."""

    def __init__(
        self,
        producer: Producer,
        folder: ResultsFolder,
        *,
        name: str,
        concurrency: int = 8,
        retry_failed: bool = False,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
    ) -> None:
        """``name`` tells this run's items from those of other runs at the service."""
        self._producer = producer
        self._folder = folder
        self._name = name
        self._slots = asyncio.Semaphore(concurrency)
        self._retry_failed = retry_failed
        self._on_progress = on_progress
        self._ended: list[Produced] = []
        self._started = 0.0

    async def run(self, items: Sequence[Item]) -> Progress:
        """Run what has no result yet.

        Raises:
            ServiceUnavailableError: The service cannot be reached; what was done is kept.
            ResultsFolderError: Results cannot be written; what was done is kept.
        """
        todo = still_to_run(items, self._folder, retry_failed=self._retry_failed)
        self._started = time.monotonic()
        kept = len(items) - len(todo)
        self._report(len(items), kept)
        try:
            async with asyncio.TaskGroup() as group:
                for item in todo:
                    group.create_task(self._one(item, len(items), kept))
        except BaseExceptionGroup as group_error:
            raise group_error.exceptions[0] from group_error
        return self._progress(len(items), kept)

    async def _one(self, item: Item, total: int, kept: int) -> None:
        async with self._slots:
            result = await self._produced(item)
            self._folder.save(result)
            self._ended.append(result)
            self._report(total, kept)

    async def _produced(self, item: Item) -> Produced:
        try:
            return await self._producer.produce(item, self._folder, key=self._key(item))
        except (ServiceRejectedError, ServiceTimeoutError, BadReplyError) as error:
            return Produced(
                item_id=item.id, status=FAILED_HERE, problem=f"{error.code}: {error.detail}"
            )

    def _key(self, item: Item) -> str:
        """The same after a cut, another one after a failure that is to be tried again."""
        before = self._folder.load(item.id)
        failure = "" if before is None else before.model_dump_json()
        return hashlib.sha256(f"{self._name}/{item.id}/{failure}".encode()).hexdigest()

    def _progress(self, total: int, kept: int) -> Progress:
        return Progress(
            total=total,
            kept=kept,
            done=len(self._ended),
            failed=sum(not result.delivered for result in self._ended),
            elapsed_s=time.monotonic() - self._started,
            generator_calls=sum(result.generator_calls for result in self._ended),
        )

    def _report(self, total: int, kept: int) -> None:
        self._on_progress(self._progress(total, kept))
