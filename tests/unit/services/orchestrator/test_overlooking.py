"""The reaper's gauges show what waits now, and forget what does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from prometheus_client import REGISTRY

from services.orchestrator.overlooking import Lookout
from shared.contracts.admission import Lane
from shared.stores.overview import Undelivered, WaitingLine
from tests.fakes.leases import InMemoryLeases
from tests.fakes.trajectory_store import InMemoryTrajectoryStore
from tests.trajectories import START, queued_event, trajectory

NOW = START + timedelta(minutes=2)


class Counted:
    """An ``Overview`` of what it is told."""

    def __init__(self, *lines: WaitingLine) -> None:
        self.waiting = lines

    def lines(self) -> Sequence[WaitingLine]:
        return self.waiting

    def in_flight(self) -> int:
        return 3

    def messages(self, queues: Sequence[str]) -> Mapping[str, int]:
        return {queue: len(queue) for queue in queues}

    def undelivered(self) -> Undelivered:
        return Undelivered(2, START)


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_what_waits_is_shown_with_its_age_and_forgotten_when_it_moves_on() -> None:
    store, leases = InMemoryTrajectoryStore(), InMemoryLeases()
    state = trajectory()
    store.create(state, events=[queued_event(state)])
    overview = Counted(WaitingLine(Lane.BATCH, "key_1", 7, state.id, START))
    lookout = Lookout(store, leases, overview=overview, clock=lambda: NOW, max_in_flight=64)
    lookout.look()
    place = {"lane": "batch", "tenant": state.tenant, "key": "key_1"}
    command = {"queue": "plan", "tenant": state.tenant}
    assert value("interleave_trajectories_waiting", **place) == 7
    assert value("interleave_trajectories_waiting_oldest_seconds", **place) == 120
    assert value("interleave_trajectories_in_flight") == 3
    assert value("interleave_trajectories_in_flight_limit") == 64
    assert value("interleave_queue_messages", queue="generate") == len("generate")
    assert value("interleave_commands_waiting", **command) == 1
    assert value("interleave_commands_waiting_oldest_seconds", **command) == 120
    assert value("interleave_webhooks_undelivered") == 2
    assert value("interleave_webhook_oldest_undelivered_seconds") == 120
    leases.acquire(state.id, "plan", ttl_s=10)
    overview.waiting = ()
    lookout.look()
    assert value("interleave_trajectories_waiting", **place) is None
    assert value("interleave_commands_waiting", **command) is None
