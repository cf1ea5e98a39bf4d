"""What a watched command notices."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.orchestrator.heartbeat import Heartbeat
from services.orchestrator.machine import advance
from shared.contracts.events import CancelRequested
from shared.contracts.trajectories import Trajectory
from shared.stores.leases import Lease
from tests.fakes.leases import InMemoryLeases
from tests.fakes.trajectory_store import InMemoryTrajectoryStore
from tests.trajectories import START, queued_event, trajectory


class Bench:
    """One watched plan command; ``beat`` is called by hand."""

    def __init__(self, *, ttl_s: float = 60.0, deadline_s: float | None = None) -> None:
        self.now: datetime = START
        self.store, self.leases = InMemoryTrajectoryStore(), InMemoryLeases()
        state = trajectory(deadline_s=deadline_s)
        self.state = self.store.create(state, events=[queued_event(state)])
        lease = self.leases.acquire(self.state.id, "plan", ttl_s=ttl_s)
        assert lease is not None
        self.lease: Lease = lease
        self.looked: list[str] = []
        self.heartbeat = Heartbeat(
            self.store,
            self.leases,
            look_again=self.look_again,
            clock=lambda: self.now,
            ttl_s=ttl_s,
            poll_s=3600,
        )

    def look_again(self, trajectory_id: str) -> Trajectory | None:
        self.looked.append(trajectory_id)
        step = advance(self.state, CancelRequested(), now=self.now)
        return self.store.save(
            step.state,
            expected_version=1,
            acknowledged=len(self.store.load_mail(trajectory_id).inbox),  # type: ignore[union-attr]
        )


def test_a_wanted_command_goes_on() -> None:
    bench = Bench()
    with bench.heartbeat.watching(bench.state, "plan", bench.lease) as watch:
        bench.heartbeat.beat()
        assert not watch.cancelled()
    assert bench.looked == []


def test_mail_is_worked_in_and_stops_a_call_nobody_wants_any_more() -> None:
    bench = Bench()
    bench.store.post(bench.state.id, CancelRequested())
    with bench.heartbeat.watching(bench.state, "plan", bench.lease) as watch:
        bench.heartbeat.beat()
        assert watch.cancelled()
    assert bench.looked == [bench.state.id]


def test_a_passed_deadline_is_worked_in() -> None:
    bench = Bench(deadline_s=5)
    with bench.heartbeat.watching(bench.state, "plan", bench.lease) as watch:
        bench.heartbeat.beat()
        assert not watch.cancelled()
        bench.now = START + timedelta(seconds=5)
        bench.heartbeat.beat()
        assert watch.cancelled()


def test_a_deleted_trajectory_stops_its_calls() -> None:
    bench = Bench()
    bench.store.delete(bench.state.id)
    with bench.heartbeat.watching(bench.state, "plan", bench.lease) as watch:
        bench.heartbeat.beat()
        assert watch.cancelled()


def test_a_lease_is_renewed_and_a_lost_one_stops_the_call() -> None:
    bench = Bench(ttl_s=0.0)
    with bench.heartbeat.watching(bench.state, "plan", bench.lease) as watch:
        bench.heartbeat.beat()
        assert bench.leases.renewed == [(bench.state.id, "plan")]
        assert not watch.cancelled()
        bench.leases.take_away(bench.state.id, "plan")
        bench.heartbeat.beat()
        assert watch.cancelled()
