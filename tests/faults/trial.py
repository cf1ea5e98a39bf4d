"""One scenario's run: what was accepted, what was broken, and what came of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tests.faults.api import Api, Json, Unanswered
from tests.faults.checks import doubled
from tests.faults.script import Script
from tests.faults.world import LEASE_S, REAP_S, RESEND_S, World

BOUND_S = LEASE_S + 2 * REAP_S + RESEND_S + 20.0
"""Lease, reaper, and generously the start of a killed process on a busy machine: a trajectory
that does not move for so long after the last fault is stuck."""
RIGHT_END = frozenset({"succeeded"})
_SIDE_PX = 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row of the table."""

    promise: str
    faults: int
    trajectories: int
    lost: int
    doubled: int
    stuck: int
    worst_recovery_s: float


@dataclass(slots=True)
class Accepted:
    """A trajectory that was answered with 202."""

    id: str
    expected: frozenset[str]
    rebuilt: bool = False
    rounds: int = 1
    """How often it ran to an end: one more for every step that was redone."""
    record: Json | None = None


@dataclass(slots=True)
class Trial:
    """What a scenario is given to work with."""

    world: World
    api: Api
    rng: random.Random
    name: str
    faults: int = 0
    accepted: list[Accepted] = field(default_factory=list[Accepted])
    lost: list[str] = field(default_factory=list[str])
    doubled: list[str] = field(default_factory=list[str])
    stuck: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    worst_recovery_s: float = 0.0
    _healed_at_s: float = field(default_factory=time.time)
    _number: int = 0
    _checked: int = 0

    async def start(
        self,
        script: Script | None = None,
        *,
        api: Api | None = None,
        expected: Iterable[str] = RIGHT_END,
        timeout_s: float = 60.0,
        **body: object,
    ) -> Accepted:
        """Have a trajectory accepted; ``api``: with another key of the same tenant."""
        self._number += 1
        script = script or Script(salt=self._number)
        asked: dict[str, object] = {
            "prompt": script.prompt(),
            "width": _SIDE_PX,
            "height": _SIDE_PX,
            "seed": self._number,
            **body,
        }
        name = f"{self.name}-{self._number}-{self.rng.getrandbits(64):x}"
        accepted = await (api or self.api).create(asked, name=name, timeout_s=timeout_s)
        made = Accepted(accepted, frozenset(expected))
        self.accepted.append(made)
        return made

    async def start_many(self, count: int, **more: object) -> list[Accepted]:
        """Have several accepted at once."""
        return list(await asyncio.gather(*(self.start(**more) for _ in range(count))))  # type: ignore[arg-type]

    def fault(self, count: int = 1) -> None:
        """Something was broken; recovery counts from the last time."""
        self.faults += count
        self._healed_at_s = time.time()

    def note(self, text: str) -> None:
        """Something worth telling that is no complaint."""
        self.notes.append(text)

    def recheck(self) -> None:
        """Have everything that was accepted checked once more by the next ``settle``."""
        self._checked = 0

    def healed(self) -> None:
        """What was broken works again: from now on everything must come to its end."""
        self._healed_at_s = time.time()

    async def settle(self, *, bound_s: float = BOUND_S) -> None:
        """Wait for all that was accepted since the last time, and check it."""
        fresh = self.accepted[self._checked :]
        self._checked = len(self.accepted)
        slots = asyncio.Semaphore(24)

        async def one(made: Accepted) -> None:
            async with slots:
                made.record = await self.api.until_final(made.id, still_s=bound_s)
                await self._judge(made)

        await asyncio.gather(*(one(made) for made in fresh))

    def outcome(self, promise: str) -> Outcome:
        """The row."""
        return Outcome(
            promise=promise,
            faults=self.faults,
            trajectories=len(self.accepted),
            lost=len(self.lost),
            doubled=len(self.doubled),
            stuck=len(self.stuck),
            worst_recovery_s=round(self.worst_recovery_s, 2),
        )

    async def _judge(self, made: Accepted) -> None:
        record = made.record
        if record is None:
            self.lost.append(f"{made.id}: gone")
            return
        if not record["final"]:
            self.stuck.append(f"{made.id}: {record['status']} since {record['updated_at']}")
            return
        if record["status"] not in made.expected:
            problem = record["problem"] or {}
            self.lost.append(
                f"{made.id}: ended {record['status']} instead of {'/'.join(sorted(made.expected))}"
                f" ({problem.get('code')}: {problem.get('detail')})"
            )
        finished_s = datetime.fromisoformat(record["finished_at"]).timestamp()
        self.worst_recovery_s = max(self.worst_recovery_s, finished_s - self._healed_at_s)
        try:
            self.doubled += await doubled(
                self.api, record, rebuilt=made.rebuilt, rounds=made.rounds
            )
        except Unanswered as error:
            self.lost.append(f"{made.id}: {error}")
