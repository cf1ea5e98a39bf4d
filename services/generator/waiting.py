"""Calls that wait to be drawn, and which of them go next. Pure: no clock, no event loop.

Order: ordinary calls before speculative ones; within these, everybody's first waiting call
before anybody's second (so that one owner's many calls do not delay another's only one); then
by arrival. A batch holds calls of the first one's shape; speculative calls never slow an
ordinary batch down by joining it. A speculative call that has waited ``AGES_AFTER_S`` counts as
an ordinary one: its picture may be wanted for sure by now, and steady load must not starve it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

Item = TypeVar("Item")
AGES_AFTER_S = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Waiting(Generic[Item]):
    """One call in the queue; equal only to itself."""

    item: Item
    shape: Hashable
    owner: str
    speculative: bool
    number: int
    """Order of arrival."""
    arrived_at_s: float


class WaitingCalls(Generic[Item]):
    """The queue in front of the model."""

    def __init__(self) -> None:
        self._calls: list[Waiting[Item]] = []
        self._numbers = count()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._calls)

    def add(
        self, item: Item, *, shape: Hashable, owner: str, speculative: bool, now_s: float
    ) -> Waiting[Item]:
        """Queue a call."""
        call = Waiting(item, shape, owner, speculative, next(self._numbers), now_s)
        self._calls.append(call)
        return call

    def remove(self, call: Waiting[Item]) -> bool:
        """Take a call out again; whether it still waited."""
        if call not in self._calls:
            return False
        self._calls.remove(call)
        return True

    def next_batch(self, max_batch: int, *, now_s: float) -> list[Waiting[Item]]:
        """The calls that would be drawn together next; they stay queued."""
        ordered = self._ordered(now_s)
        if not ordered:
            return []
        rank, first = ordered[0]
        return [call for each, call in ordered if (each, call.shape) == (rank, first.shape)][
            :max_batch
        ]

    def take(self, max_batch: int, *, now_s: float) -> list[Waiting[Item]]:
        """Remove and give the next batch."""
        batch = self.next_batch(max_batch, now_s=now_s)
        taken = {call.number for call in batch}
        self._calls = [call for call in self._calls if call.number not in taken]
        return batch

    def _ordered(self, now_s: float) -> list[tuple[bool, Waiting[Item]]]:
        """All calls in their order, with whether they still count as speculative."""
        turns: Counter[tuple[bool, str]] = Counter()
        ranked: list[tuple[bool, int, int, Waiting[Item]]] = []
        for call in self._calls:
            ahead = call.speculative and now_s - call.arrived_at_s < AGES_AFTER_S
            ranked.append((ahead, turns[ahead, call.owner], call.number, call))
            turns[ahead, call.owner] += 1
        ranked.sort(key=lambda entry: entry[:3])
        return [(ahead, call) for ahead, _, _, call in ranked]
