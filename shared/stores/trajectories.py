"""The interface of the trajectory store, and what every implementation shares.

A record is saved by compare-and-set on its version, together with its pending commands, public
events and webhook deliveries. ``redis_trajectories`` implements it; an in-memory one is among
the tests' fakes, and both pass one contract test. Images and journal are not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol

from shared.contracts.events import Happening, PublicEvent
from shared.contracts.trajectories import Status, Trajectory
from shared.contracts.webhooks import Delivery
from shared.errors import InvalidRequestError

KEPT_EVENTS = 1000
"""At least so many of a trajectory's newest public events can be read again."""
BATCH_EVERY = 8
"""Every so many turns the batch lane comes first, so that it never starves."""
_SCAN_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class Mail:
    """A trajectory with what callers posted to it, oldest first."""

    trajectory: Trajectory
    inbox: tuple[Happening, ...]


@dataclass(frozen=True, slots=True)
class Signal:
    """What somebody who carries out a command must notice."""

    wanted: bool
    """The command is still pending."""
    mail: bool
    """The inbox is not empty."""


class TrajectoryStore(Protocol):
    """Synchronous and thread safe.

    Every method raises ``StoreUnavailableError`` when the store cannot be reached.
    """

    def create(self, trajectory: Trajectory, *, events: Sequence[PublicEvent]) -> Trajectory:
        """Save the first version (1) and give it back.

        Raises:
            VersionConflictError: if the id exists.
        """
        ...

    def restore(self, trajectory: Trajectory, *, webhooks: Sequence[Delivery] = ()) -> bool:
        """Put a record back as it was, version included, unless the id exists."""
        ...

    def load(self, trajectory_id: str) -> Trajectory | None:
        """The newest version."""
        ...

    def load_mail(self, trajectory_id: str) -> Mail | None:
        """The newest version and its inbox."""
        ...

    def save(
        self,
        trajectory: Trajectory,
        *,
        expected_version: int,
        events: Sequence[PublicEvent] = (),
        webhooks: Sequence[Delivery] = (),
        acknowledged: int = 0,
    ) -> Trajectory:
        """Save the next version with everything that belongs to it, all or nothing.

        Args:
            trajectory: the new state; its version is set here.
            expected_version: the version that it was made from.
            events: to publish, in order.
            webhooks: to deliver; one that is known already is left alone.
            acknowledged: how many happenings of the inbox are worked in; it must be all of
                them, so that nothing is ever saved (or begun) past an unread cancel.

        Raises:
            VersionConflictError: if another version is stored (or none), or the inbox holds
                more than was acknowledged.
        """
        ...

    def page(
        self, tenant: str, *, limit: int, cursor: str | None, status: Status | None = None
    ) -> tuple[list[Trajectory], str | None]:
        """A tenant's trajectories, newest first, and the cursor of the next page.

        With ``status`` a page may be short although a cursor is given: go on with it.

        Raises:
            InvalidRequestError: if the cursor is not one of ours.
        """
        ...

    def delete(self, trajectory_id: str) -> None:
        """Forget the record, its events and its inbox."""
        ...

    def post(self, trajectory_id: str, happening: Happening) -> None:
        """Put a caller's wish into the durable inbox.

        Raises:
            NotFoundError: if there is no such trajectory.
        """
        ...

    def signals(self, commands: Sequence[tuple[str, str]]) -> list[Signal]:
        """For each (trajectory id, command id): is it still wanted, is there mail?"""
        ...

    def active(self, *, saved_before: datetime) -> Iterator[str]:
        """Ids of trajectories with pending commands that were last saved before this."""
        ...

    def due_deadlines(self, now: datetime) -> list[str]:
        """Ids of unfinished trajectories whose deadline has passed."""
        ...

    def admit(self, *, now: datetime, most_in_flight: int, limit: int = 100) -> list[str]:
        """Let waiting trajectories in, in fair order, and give their ids: send their commands.

        A saved trajectory with a ticket waits while it is queued: it is not ``active``. It is
        in flight from being let in until a save leaves it without pending commands. A key
        whose first trajectory begins to wait is let in after at most one trajectory of every
        other key that waits in its lane; a busy one after at most ``1 + their weight / its
        weight`` of each.

        Args:
            now: from when on they count as active.
            most_in_flight: of all keys together; a ticket may set a limit for its key.
            limit: how many to let in at most.
        """
        ...

    def waiting(self, key: str) -> int:
        """How many trajectories of an API key wait to be let in."""
        ...

    def with_mail(self) -> list[str]:
        """Ids of trajectories whose inbox is not empty."""
        ...

    def intact(self) -> bool:
        """Whether the store still holds what was written since ``mark_intact``."""
        ...

    def mark_intact(self) -> None:
        """Everything that the journal knows is here."""
        ...


def place_in_line(trajectory: Trajectory) -> str:
    """What a save means for admission: ``wait`` for it, ``run`` in flight, or ``rest``."""
    if not trajectory.pending:
        return "rest"
    return "wait" if trajectory.status is Status.QUEUED else "run"


def page_of(
    ordered: Iterable[tuple[int, str, Trajectory | None]], *, limit: int, status: Status | None
) -> tuple[list[Trajectory], str | None]:
    """Cut one page out of (score, id, record), newest first."""
    found: list[Trajectory] = []
    last: tuple[int, str] | None = None
    seen = 0
    for score, trajectory_id, record in islice(ordered, _SCAN_LIMIT):
        if len(found) == limit:
            return found, last and format_cursor(*last)
        seen += 1
        last = (score, trajectory_id)
        if record is not None and status in {None, record.status}:
            found.append(record)
    scanned_all = seen < _SCAN_LIMIT
    return found, None if scanned_all or last is None else format_cursor(*last)


def format_cursor(score: int, trajectory_id: str) -> str:
    """A page's end as an opaque text."""
    return f"{score:x}-{trajectory_id}"


def parse_cursor(cursor: str) -> tuple[int, str]:
    """The score and id in a cursor.

    Raises:
        InvalidRequestError: if it is not one of ours.
    """
    score, dash, trajectory_id = cursor.partition("-")
    try:
        number = int(score, 16)
    except ValueError:
        dash = ""
        number = 0
    if not dash or not trajectory_id:
        raise InvalidRequestError("The cursor is not one that this service gave.")
    return number, trajectory_id


def score_of(moment: datetime) -> int:
    """Microseconds since 1970: exact in a Redis score."""
    return round(moment.timestamp() * 1_000_000)
