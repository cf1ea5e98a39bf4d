"""What the items still to run will probably take, before the first one is run.

The service is asked about a few items (``POST /v1/trajectories:estimate``), spread over all of
them; the rest is taken to be like those. A service that cannot tell stops nothing. Not here: the
estimate of a run under way, which is measured (``run``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.trainer.benchmarks.records import Item
from services.trainer.benchmarks.replies import EstimateReply
from services.trainer.benchmarks.scores import mean
from shared.errors import InterleaveError

SAMPLE = 8
"""Items that are asked about."""
PATIENCE_S = 20.0
"""How long all answers together may take."""
_SHORTEST_MIN, _LONGEST_MIN = 0.1, 100.0
"""What is told in minutes."""


class Expecting(Protocol):
    """Tells what an item will take; see ``service.InterleaveService``."""

    async def expected(self, item: Item) -> EstimateReply:
        """What one item will take."""
        ...


@dataclass(frozen=True, slots=True)
class Outlook:
    """What ``items`` items will take, from so many of them.

    ``seconds`` is the work of all items one after the other, None where the service has not
    measured its calls yet.
    """

    items: int
    asked: int
    generator_calls: float
    seconds: float | None

    def minutes(self, concurrency: int) -> float | None:
        """Wall time with so many items at a time, if the service keeps up with that many."""
        at_a_time = max(1, min(concurrency, self.items))
        return None if self.seconds is None else self.seconds / at_a_time / 60

    def told(self, *, concurrency: int, price_per_call: float) -> str:
        """A line for a person."""
        minutes = self.minutes(concurrency)
        line = f"{self.items} items to run: about {self.generator_calls:.0f} generator calls"
        line += ", time not known yet" if minutes is None else f", {_shown(minutes)}"
        line += f" with {concurrency} at a time, if the service keeps up" if minutes else ""
        cost = self.generator_calls * price_per_call
        line += f", cost {cost:.2f}" if cost else ""
        return f"{line} (estimated from {self.asked} of them)."


def _shown(minutes: float) -> str:
    if minutes < _SHORTEST_MIN:
        return f"less than {_SHORTEST_MIN:g} min"
    return f"{minutes:.1f} min" if minutes < _LONGEST_MIN else f"{minutes / 60:.1f} h"


def spread(items: Sequence[Item], count: int) -> tuple[Item, ...]:
    """So many items, evenly over all of them."""
    taken = min(count, len(items))
    return tuple(items[at * len(items) // taken] for at in range(taken))


async def outlook(
    service: Expecting, items: Sequence[Item], *, patience_s: float = PATIENCE_S
) -> Outlook | str:
    """What the items will take, or why that cannot be told."""
    asked = spread(items, SAMPLE)
    try:
        async with asyncio.timeout(patience_s):
            got = [await service.expected(item) for item in asked]
    except InterleaveError as error:
        return error.detail
    except TimeoutError:
        return f"the service gave no estimate within {patience_s:g} s"
    calls = mean([reply.generator_calls.expected for reply in got]) or 0.0
    known = [reply.seconds.expected for reply in got if reply.seconds is not None]
    seconds = mean(known) if len(known) == len(got) else None
    whole = None if seconds is None else seconds * len(items)
    return Outlook(len(items), len(asked), calls * len(items), whole)
