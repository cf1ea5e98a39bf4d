"""Commits against a store in memory that others write to, or that goes away."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from prometheus_client import Counter

from services.orchestrator.committing import Committer
from services.orchestrator.measures import CALLS_WASTED
from services.orchestrator.patience import Patience
from shared.contracts.events import CancelRequested, PictureArrived, PlanArrived, PlanStarted
from shared.contracts.generation import Picture
from shared.contracts.trajectories import Status, Trajectory, WebhookTarget
from shared.errors import StoreUnavailableError
from shared.stores.trajectories import Mail
from tests.fakes.dispatcher import RemembersMessages, RemembersSnapshots
from tests.fakes.trajectory_store import InMemoryTrajectoryStore
from tests.trajectories import START, image, plan_of, profile, queued_event, trajectory

STARTED = PlanStarted(command_id="plan")
PLANNED = PlanArrived(command_id="plan", plan=plan_of("a"))


class AwayTwice(InMemoryTrajectoryStore):
    """Cannot be reached the first two times."""

    failures = 2

    def load_mail(self, trajectory_id: str) -> Mail | None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailableError
        return super().load_mail(trajectory_id)


class Bench:
    """A committer with everything around it in memory."""

    def __init__(self, store: InMemoryTrajectoryStore | None = None, **fields: object) -> None:
        self.now: datetime = START
        self.store = store or InMemoryTrajectoryStore()
        self.messages, self.snapshots = RemembersMessages(), RemembersSnapshots()
        self.committer = Committer(
            self.store,
            self.messages,
            snapshots=self.snapshots,
            clock=lambda: self.now,
            patience=Patience(window_s=1.0, first_pause_s=0.001, max_tries=2),
        )
        state = trajectory(profile("fast"), **fields)  # type: ignore[arg-type]
        self.first: Trajectory = self.store.create(state, events=[queued_event(state)])
        self.id = self.first.id

    def draw(self) -> Trajectory | None:
        picture = Picture(image=image("drawn"))
        return self.committer.commit(
            self.id, PictureArrived(command_id="generate-0-1", picture=picture)
        )


def test_new_commands_are_sent_once_saved() -> None:
    bench = Bench()
    bench.committer.commit(bench.id, STARTED, PLANNED)
    assert bench.messages.commands == [(bench.id, "generate-0-1")]
    assert [event.sequence for event in bench.store.events[bench.id]] == [1, 2, 3, 4, 5, 6]


def test_a_repeated_happening_saves_and_sends_nothing() -> None:
    bench = Bench()
    saved = bench.committer.commit(bench.id, STARTED, PLANNED)
    again = bench.committer.commit(bench.id, PLANNED)
    assert again == saved
    assert len(bench.messages.commands) == 1


def test_results_that_came_too_late_are_counted_as_wasted() -> None:
    bench, late = Bench(), CALLS_WASTED.labels("generate", "late")
    bench.committer.commit(bench.id, STARTED, PLANNED)
    before = _value(late)
    bench.draw()
    assert _value(late) == before
    bench.draw()
    assert _value(late) == before + 1


def _value(counter: Counter) -> float:
    return next(s.value for m in counter.collect() for s in m.samples if s.name.endswith("_total"))


def test_mail_is_worked_in_before_the_happening() -> None:
    bench = Bench()
    bench.committer.commit(bench.id, STARTED)
    bench.store.post(bench.id, CancelRequested())
    saved = bench.committer.commit(bench.id, PLANNED)
    assert saved is not None
    assert saved.status is Status.CANCELLED
    assert bench.messages.commands == []
    assert bench.store.with_mail() == []


def test_mail_that_the_caller_did_not_know_of_is_worked_in_too() -> None:
    bench = Bench()
    bench.store.post(bench.id, CancelRequested())
    saved = bench.committer.commit(bench.id, STARTED, basis=bench.first)
    assert saved is not None
    assert saved.status is Status.CANCELLED


@pytest.mark.parametrize("happening", [STARTED, PLANNED])
def test_an_old_basis_never_hides_what_others_saved(happening: object) -> None:
    bench = Bench()
    newest = bench.committer.commit(bench.id, STARTED)
    saved = bench.committer.commit(bench.id, happening, basis=bench.first)  # type: ignore[arg-type]
    assert saved is not None
    assert newest is not None
    assert saved.version >= newest.version
    assert saved.usage.planner_calls == 1


def test_a_passed_deadline_is_noticed_by_any_commit() -> None:
    bench = Bench(deadline_s=5)
    bench.now = START + timedelta(seconds=6)
    saved = bench.committer.commit(bench.id)
    assert saved is not None
    assert saved.status is Status.EXPIRED


def test_milestones_go_to_the_journal() -> None:
    bench = Bench()
    bench.committer.commit(bench.id, STARTED)
    assert bench.snapshots.kept == []
    bench.committer.commit(bench.id, PLANNED)
    bench.draw()
    assert bench.snapshots.kept == [bench.id, bench.id]


def test_a_final_state_is_a_webhook_saved_with_it() -> None:
    bench = Bench(webhook=WebhookTarget(url="https://example.test/hook"))
    bench.committer.commit(bench.id, STARTED, PLANNED)
    done = bench.draw()
    assert done is not None
    (delivery,) = bench.store.webhooks.values()
    assert delivery.event == "trajectory.succeeded"
    assert delivery.sequence == done.sequence
    assert bench.messages.deliveries == [delivery.id]


def test_other_events_are_sent_when_asked_for() -> None:
    target = WebhookTarget(url="https://example.test/hook", events=("step.finished",))
    bench = Bench(webhook=target)
    bench.committer.commit(bench.id, STARTED, PLANNED)
    bench.draw()
    assert [delivery.event for delivery in bench.store.webhooks.values()] == ["step.finished"]


def test_a_store_that_goes_away_is_waited_for() -> None:
    bench = Bench(AwayTwice())
    assert bench.committer.commit(bench.id, STARTED) is not None


def test_a_store_that_stays_away_is_an_error_in_the_end() -> None:
    store = AwayTwice()
    store.failures = 1_000_000
    bench = Bench(store)
    with pytest.raises(StoreUnavailableError):
        bench.committer.commit(bench.id, STARTED)


def test_what_does_not_exist_is_not_made() -> None:
    bench = Bench()
    assert bench.committer.commit("trj_unknown", STARTED) is None
