"""Gauges of what waits and how old it is, set by the reaper at every sweep.

Counters of what happened are in ``measures``; several reapers give the same figures, so take the
``max`` over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Gauge

from services.orchestrator.ports import Clock
from shared.contracts.trajectories import Trajectory
from shared.queue import Queue, queue_of
from shared.stores.leases import Leases
from shared.stores.overview import Overview, WaitingLine
from shared.stores.trajectories import TrajectoryStore

_MOST_LOOKED_AT = 500
_FRESH = timedelta(seconds=2)
"""What was saved so lately is on its way and not looked at."""
_Place = tuple[str, str]

LINE: Final = Gauge(
    "interleave_trajectories_waiting",
    "Accepted trajectories that wait to be let in",
    ["lane", "tenant", "key"],
)
LINE_AGE: Final = Gauge(
    "interleave_trajectories_waiting_oldest_seconds",
    "How long the first in each line has waited since it was accepted",
    ["lane", "tenant", "key"],
)
IN_FLIGHT: Final = Gauge("interleave_trajectories_in_flight", "Trajectories that were let in")
IN_FLIGHT_LIMIT: Final = Gauge("interleave_trajectories_in_flight_limit", "Most that are let in")
MESSAGES: Final = Gauge("interleave_queue_messages", "Messages that wait in a queue", ["queue"])
COMMANDS: Final = Gauge(
    "interleave_commands_waiting", "Pending commands that nobody carries out", ["queue", "tenant"]
)
COMMANDS_AGE: Final = Gauge(
    "interleave_commands_waiting_oldest_seconds",
    "How long the oldest of them has waited since its trajectory was last saved",
    ["queue", "tenant"],
)
WEBHOOKS: Final = Gauge("interleave_webhooks_undelivered", "Webhooks that are still tried")
WEBHOOK_AGE: Final = Gauge(
    "interleave_webhook_oldest_undelivered_seconds", "How long the oldest of them is on its way"
)


class Lookout:
    """Sets the gauges."""

    def __init__(
        self,
        store: TrajectoryStore,
        leases: Leases,
        *,
        overview: Overview,
        clock: Clock,
        max_in_flight: int,
    ) -> None:
        self._store = store
        self._leases = leases
        self._overview = overview
        self._clock = clock
        self._max_in_flight = max_in_flight

    def look(self) -> None:
        """Set them all once.

        Raises:
            StoreUnavailableError: the gauges then keep what they showed.
        """
        now = self._clock()
        self._look_at_lines(self._overview.lines(), now)
        IN_FLIGHT.set(self._overview.in_flight())
        IN_FLIGHT_LIMIT.set(self._max_in_flight)
        for queue, count in self._overview.messages([str(queue) for queue in Queue]).items():
            MESSAGES.labels(queue).set(count)
        self._look_at_commands(now)
        webhooks = self._overview.undelivered()
        WEBHOOKS.set(webhooks.count)
        WEBHOOK_AGE.set(_age_s(webhooks.oldest_at, now))

    def _look_at_lines(self, lines: Iterable[WaitingLine], now: datetime) -> None:
        # Whoever waits no more must not be shown for ever.
        counted = [(line, self._tenant_of(line.oldest_id)) for line in lines]
        LINE.clear()
        LINE_AGE.clear()
        for line, tenant in counted:
            LINE.labels(line.lane, tenant, line.key).set(line.count)
            LINE_AGE.labels(line.lane, tenant, line.key).set(_age_s(line.oldest_at, now))

    def _look_at_commands(self, now: datetime) -> None:
        ages: dict[_Place, list[float]] = {}
        for number, trajectory_id in enumerate(self._store.active(saved_before=now - _FRESH)):
            if number == _MOST_LOOKED_AT:
                break
            state = self._store.load(trajectory_id)
            for place in () if state is None else self._waiting_of(state):
                ages.setdefault(place, []).append(_age_s(state and state.updated_at, now))
        _show(ages)

    def _waiting_of(self, state: Trajectory) -> list[_Place]:
        """Queue and tenant of each command that nobody carries out."""
        alive = self._leases.alive(state.id, [command.id for command in state.pending])
        waiting = [command for command in state.pending if command.id not in alive]
        return [(str(queue_of(command)), state.tenant) for command in waiting]

    def _tenant_of(self, trajectory_id: str) -> str:
        state = self._store.load(trajectory_id)
        return "" if state is None else state.tenant


def _show(ages: Mapping[_Place, list[float]]) -> None:
    COMMANDS.clear()
    COMMANDS_AGE.clear()
    for (queue, tenant), each in ages.items():
        COMMANDS.labels(queue, tenant).set(len(each))
        COMMANDS_AGE.labels(queue, tenant).set(max(each))


def _age_s(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
