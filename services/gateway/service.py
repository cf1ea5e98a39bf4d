"""The use-cases on trajectories. No HTTP here; statuses change only in the orchestrator.

The gateway saves a trajectory's first version and afterwards only *asks*: it posts into the
durable inbox and wakes a worker.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio

from services.gateway.ports import Dispatcher, EventFeed
from shared.contracts.events import CancelRequested, Happening, PublicEvent
from shared.contracts.trajectories import (
    PlanCommand,
    Status,
    Trajectory,
    TrajectoryRequest,
)
from shared.errors import ConflictError, NotFoundError, VersionConflictError
from shared.stores.images import ImageStore
from shared.stores.journal import Journal
from shared.stores.keys import trajectory_prefix
from shared.stores.trajectories import TrajectoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_ID_ALPHABET = string.digits + string.ascii_letters
_ID_CHARACTERS = 24
_ID = re.compile(r"^trj_[0-9A-Za-z]{24}$")
_CANCEL_BEFORE_DELETE_S = 10.0
_RESTING = frozenset({Status.AWAITING_APPROVAL})
_STATUS_BY_EVENT = {f"trajectory.{status.value}": status for status in Status}


def new_trajectory_id() -> str:
    """A fresh id that tells nothing."""
    return "trj_" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_CHARACTERS))


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Trajectories:
    """What callers can do with trajectories; every method takes the caller's tenant."""

    store: TrajectoryStore
    feed: EventFeed
    images: ImageStore
    journal: Journal
    dispatcher: Dispatcher
    max_in_flight: int
    now: Callable[[], datetime] = utc_now

    async def create(self, trajectory: Trajectory) -> Trajectory:
        """Save the first version durably, then have it planned.

        Raises:
            VersionConflictError: the id exists.
        """
        queued = PublicEvent(
            sequence=1,
            type=f"trajectory.{Status.QUEUED.value}",
            trajectory_id=trajectory.id,
            at=trajectory.created_at,
        )
        await anyio.to_thread.run_sync(self._create, trajectory, queued)
        return trajectory

    def _create(self, trajectory: Trajectory, queued: PublicEvent) -> None:
        # The journal comes first: whatever has been accepted can be rebuilt from it.
        self.journal.write(trajectory.model_copy(update={"version": 1}))
        self.store.create(trajectory, events=[queued])
        for trajectory_id in self.store.admit(now=self.now(), most_in_flight=self.max_in_flight):
            admitted = self.store.load(trajectory_id)
            for command in () if admitted is None else admitted.pending:
                self.dispatcher.send_command(trajectory_id, command)

    async def load(self, tenant: str, trajectory_id: str) -> Trajectory:
        """The newest version; NotFoundError if it is not the tenant's."""
        found = None
        if _ID.match(trajectory_id):
            found = await anyio.to_thread.run_sync(self.store.load, trajectory_id)
        if found is None or found.tenant != tenant:
            raise NotFoundError("There is no such trajectory.")
        return found

    async def page(
        self, tenant: str, *, limit: int, cursor: str | None, status: Status | None
    ) -> tuple[list[Trajectory], str | None]:
        """Newest first."""
        return await anyio.to_thread.run_sync(
            lambda: self.store.page(tenant, limit=limit, cursor=cursor, status=status)
        )

    async def wait(self, trajectory: Trajectory, *, timeout_s: float) -> Trajectory:
        """The trajectory once it is final or awaits approval, or after ``timeout_s``."""
        if _rests(trajectory) or timeout_s <= 0:
            return trajectory
        with anyio.move_on_after(timeout_s):
            async with aclosing(self.events(trajectory.id, after=trajectory.sequence)) as events:
                async for event in events:
                    if not isinstance(event, PublicEvent) or _is_rest(event):
                        break
        return await self.load(trajectory.tenant, trajectory.id)

    async def waiting(self, key: str) -> int:
        """How many trajectories of an API key wait for their turn."""
        return await anyio.to_thread.run_sync(self.store.waiting, key)

    async def events(
        self, trajectory_id: str, *, after: int
    ) -> AsyncGenerator[PublicEvent | object, None]:
        """Events above ``after`` as they come, without end."""
        async for event in self.feed.follow(trajectory_id, after=after):
            yield event

    async def ask(self, trajectory: Trajectory, happening: Happening) -> None:
        """Put a wish into the inbox and wake a worker."""
        await anyio.to_thread.run_sync(self._ask, trajectory.id, happening)

    def _ask(self, trajectory_id: str, happening: Happening) -> None:
        self.store.post(trajectory_id, happening)
        self.dispatcher.send_wakeup(trajectory_id)

    async def cancel(self, tenant: str, trajectory_id: str) -> Trajectory:
        """Have it stopped; asking again is fine, ConflictError if it ended another way."""
        trajectory = await self.load(tenant, trajectory_id)
        if trajectory.status is Status.CANCELLED:
            return trajectory
        if trajectory.status.final:
            raise ConflictError(f"It has ended already: {trajectory.status.value}.")
        await self.ask(trajectory, CancelRequested())
        return trajectory

    async def delete(self, tenant: str, trajectory_id: str) -> None:
        """Remove record, journal and images; a running one is cancelled first.

        Raises:
            ConflictError: it could not be stopped in time; ask again.
        """
        trajectory = await self.load(tenant, trajectory_id)
        if not trajectory.status.final:
            await self.ask(trajectory, CancelRequested())
            trajectory = await self._until_final(trajectory)
        await anyio.to_thread.run_sync(self._delete, trajectory)

    async def _until_final(self, trajectory: Trajectory) -> Trajectory:
        with anyio.move_on_after(_CANCEL_BEFORE_DELETE_S):
            while not trajectory.status.final:
                await anyio.sleep(0.1)
                trajectory = await self.load(trajectory.tenant, trajectory.id)
        if not trajectory.status.final:
            raise ConflictError("It is being cancelled; delete it again in a moment.")
        return trajectory

    def _delete(self, trajectory: Trajectory) -> None:
        # The journal goes first, so that a half-done deletion cannot bring it back.
        self.journal.delete(trajectory.id)
        self.images.delete_prefix(trajectory_prefix(trajectory.tenant, trajectory.id))
        self.store.delete(trajectory.id)

    async def create_or_show(self, trajectory: Trajectory) -> Trajectory:
        """Create it unless an earlier, half-answered call did already."""
        with suppress(VersionConflictError):
            return await self.create(trajectory)
        return await self.load(trajectory.tenant, trajectory.id)


def first_version(
    tenant: str,
    trajectory_id: str,
    request: TrajectoryRequest,
    *,
    now: datetime,
    trace: dict[str, str],
) -> Trajectory:
    """What is saved when a request is accepted: queued, with the plan still to be written."""
    deadline_s = request.deadline_s
    return Trajectory(
        id=trajectory_id,
        tenant=tenant,
        request=request,
        created_at=now,
        updated_at=now,
        deadline_at=None if deadline_s is None else now + timedelta(seconds=deadline_s),
        pending=(PlanCommand(id="plan"),),
        sequence=1,
        trace=trace,
    )


def is_final(event: PublicEvent) -> bool:
    """Whether nothing follows this event."""
    status = _status_of(event)
    return status is not None and status.final


def _is_rest(event: PublicEvent) -> bool:
    status = _status_of(event)
    return status is not None and (status.final or status in _RESTING)


def _status_of(event: PublicEvent) -> Status | None:
    return _STATUS_BY_EVENT.get(event.type)


def _rests(trajectory: Trajectory) -> bool:
    return trajectory.status.final or trajectory.status in _RESTING
