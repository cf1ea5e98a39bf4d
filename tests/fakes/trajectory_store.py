"""A ``TrajectoryStore`` in memory: does everything right, keeps events and webhooks to look at."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from shared.contracts.events import Happening, PublicEvent
from shared.contracts.trajectories import Status, Trajectory
from shared.contracts.webhooks import Delivery
from shared.errors import NotFoundError, VersionConflictError
from shared.stores.trajectories import Mail, Signal, page_of, parse_cursor, score_of
from tests.fakes.line import Line


class InMemoryTrajectoryStore:
    """See ``shared.stores.trajectories.TrajectoryStore``."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._records: dict[str, Trajectory] = {}
        self._inboxes: dict[str, list[Happening]] = {}
        self._intact = False
        self._line = Line()
        self.events: dict[str, list[PublicEvent]] = defaultdict(list)
        self.webhooks: dict[str, Delivery] = {}

    def create(self, trajectory: Trajectory, *, events: Sequence[PublicEvent]) -> Trajectory:
        return self.save(trajectory, expected_version=0, events=events)

    def restore(self, trajectory: Trajectory, *, webhooks: Sequence[Delivery] = ()) -> bool:
        with self._lock:
            if trajectory.id in self._records:
                return False
            self._records[trajectory.id] = trajectory
            self._line.note(trajectory)
            self._enqueue(webhooks)
            return True

    def load(self, trajectory_id: str) -> Trajectory | None:
        return self._records.get(trajectory_id)

    def load_mail(self, trajectory_id: str) -> Mail | None:
        with self._lock:
            record = self._records.get(trajectory_id)
            inbox = tuple(self._inboxes.get(trajectory_id, ()))
            return None if record is None else Mail(record, inbox)

    def save(
        self,
        trajectory: Trajectory,
        *,
        expected_version: int,
        events: Sequence[PublicEvent] = (),
        webhooks: Sequence[Delivery] = (),
        acknowledged: int = 0,
    ) -> Trajectory:
        with self._lock:
            stored = self._records.get(trajectory.id)
            if (0 if stored is None else stored.version) != expected_version:
                raise VersionConflictError
            if len(self._inboxes.get(trajectory.id, ())) != acknowledged:
                raise VersionConflictError
            saved = trajectory.model_copy(update={"version": expected_version + 1})
            self._records[trajectory.id] = saved
            self._line.note(saved)
            self.events[trajectory.id] += events
            self._enqueue(webhooks)
            self._inboxes.pop(trajectory.id, None)
            return saved

    def page(
        self, tenant: str, *, limit: int, cursor: str | None, status: Status | None = None
    ) -> tuple[list[Trajectory], str | None]:
        start = parse_cursor(cursor) if cursor else None
        records = [
            (score_of(record.created_at), record.id, record)
            for record in self._records.values()
            if record.tenant == tenant
        ]
        records.sort(key=lambda item: item[:2], reverse=True)
        wanted = [item for item in records if start is None or item[:2] < start]
        return page_of(wanted, limit=limit, status=status)

    def delete(self, trajectory_id: str) -> None:
        with self._lock:
            self._records.pop(trajectory_id, None)
            self._inboxes.pop(trajectory_id, None)
            self.events.pop(trajectory_id, None)

    def post(self, trajectory_id: str, happening: Happening) -> None:
        with self._lock:
            if trajectory_id not in self._records:
                raise NotFoundError
            self._inboxes.setdefault(trajectory_id, []).append(happening)

    def signals(self, commands: Sequence[tuple[str, str]]) -> list[Signal]:
        return [self._signal(*command) for command in commands]

    def active(self, *, saved_before: datetime) -> Iterator[str]:
        found = [
            r
            for r in self._records.values()
            if r.pending and r.updated_at < saved_before and not self._line.holds(r.id)
        ]
        yield from (record.id for record in sorted(found, key=lambda r: r.updated_at))

    def due_deadlines(self, now: datetime) -> list[str]:
        return [
            record.id
            for record in self._records.values()
            if not record.status.final
            and record.deadline_at is not None
            and record.deadline_at <= now
        ]

    def admit(self, *, now: datetime, most_in_flight: int, limit: int = 100) -> list[str]:
        with self._lock:
            return self._line.let_in(most_in_flight=most_in_flight, limit=limit)

    def waiting(self, key: str) -> int:
        return self._line.waiting(key)

    def with_mail(self) -> list[str]:
        return sorted(self._inboxes)

    def intact(self) -> bool:
        return self._intact

    def mark_intact(self) -> None:
        self._intact = True

    def _signal(self, trajectory_id: str, command_id: str) -> Signal:
        record = self._records.get(trajectory_id)
        wanted = record is not None and any(c.id == command_id for c in record.pending)
        return Signal(wanted=wanted, mail=bool(self._inboxes.get(trajectory_id)))

    def _enqueue(self, webhooks: Sequence[Delivery]) -> None:
        for delivery in webhooks:
            self.webhooks.setdefault(delivery.id, delivery)
