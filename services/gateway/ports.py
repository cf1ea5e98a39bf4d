"""What the gateway's use-cases need from outside, as Protocols.

Implementations live in ``shared.stores``, ``shared.clients`` and ``shared.queue``; in-memory
ones in ``tests.fakes``. Records and images are reached through the Protocols in
``shared.stores``, which are synchronous and called in threads.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from shared.contracts.events import PublicEvent
from shared.contracts.generation import GeneratorInfo
from shared.contracts.plans import PlanCheck, PlanCheckResult
from shared.contracts.trajectories import Command


class EventFeed(Protocol):
    """Public events as they are committed (see ``shared.stores.events``)."""

    def follow(self, trajectory_id: str, *, after: int) -> AsyncIterator[PublicEvent | object]:
        """Events with a sequence above ``after``; anything else it yields marks a gap."""
        ...


class Dispatcher(Protocol):
    """Wakes workers; best effort, because the reaper re-sends whatever is lost."""

    def send_command(self, trajectory_id: str, command: Command) -> None:
        """Queue one command."""
        ...

    def send_wakeup(self, trajectory_id: str) -> None:
        """Have the inbox drained."""
        ...


class PlanChecker(Protocol):
    """The planner's quick check of a request."""

    async def check(self, check: PlanCheck) -> PlanCheckResult:
        """Whether it can be planned; UpstreamError if the planner is away."""
        ...


class GeneratorDescriber(Protocol):
    """A generator service that says what it can do."""

    async def info(self) -> GeneratorInfo:
        """Its sizes, steps and abilities."""
        ...
