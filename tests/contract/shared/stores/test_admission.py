"""Fair admission between API keys: one body, in memory and on a real Valkey server.

The bound that is promised: a key's first waiting trajectory is let in after at most one of
every other key that waits in its lane; a busy key's next one after at most ``1 + w_other /
w_own`` of each. Every eighth turn may go to the batch lane besides.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis

from shared.contracts.admission import Lane, Ticket
from shared.contracts.trajectories import Status, Trajectory
from shared.stores.redis_trajectories import RedisTrajectoryStore
from shared.stores.trajectories import BATCH_EVERY, TrajectoryStore
from tests.fakes.trajectory_store import InMemoryTrajectoryStore
from tests.servers import ValkeyServer
from tests.trajectories import START, trajectory

LATER = START + timedelta(days=1)


@pytest.fixture(params=["memory", "valkey"])
def store(request: pytest.FixtureRequest) -> Iterator[TrajectoryStore]:
    if request.param == "memory":
        yield InMemoryTrajectoryStore()
        return
    server: ValkeyServer = request.getfixturevalue("valkey")
    with redis.Redis.from_url(server.url) as client:
        client.flushdb()
        yield RedisTrajectoryStore(client)


class Office:
    """Queues trajectories, lets them in and ends them."""

    def __init__(self, store: TrajectoryStore, *, most_in_flight: int = 4) -> None:
        self.store = store
        self.most_in_flight = most_in_flight
        self.keys: dict[str, str] = {}
        self.running: list[Trajectory] = []
        self._numbers = itertools.count()

    def queue(self, key: str, count: int = 1, **terms: object) -> list[str]:
        """New trajectories of a key."""
        ticket = Ticket(key=key, **terms)  # type: ignore[arg-type]
        return [self._queue(ticket) for _ in range(count)]

    def _queue(self, ticket: Ticket) -> str:
        number = next(self._numbers)
        state = trajectory(trajectory_id=f"trj_{number:024d}", at=START + timedelta(seconds=number))
        self.store.create(state.model_copy(update={"ticket": ticket}), events=[])
        self.keys[state.id] = ticket.key
        return state.id

    def admit(self) -> list[str]:
        """Keys of those let in now."""
        ids = self.store.admit(now=START, most_in_flight=self.most_in_flight)
        self.running += [found for each in ids if (found := self.store.load(each)) is not None]
        return [self.keys[each] for each in ids]

    def end(self, key: str | None = None) -> None:
        """The one that has run longest (of a key) ends."""
        found = next(t for t in self.running if key in {None, self.keys[t.id]})
        self.running.remove(found)
        ended = found.model_copy(update={"status": Status.SUCCEEDED, "pending": ()})
        self.store.save(ended, expected_version=found.version)

    def turns(self, count: int) -> list[str]:
        """Keys of the next ones let in, as one after the other ends."""
        order = self.admit()
        while len(order) < count:
            self.end()
            order += self.admit()
        return order[:count]


def test_a_single_job_waits_for_one_of_anothers_thousand(store: TrajectoryStore) -> None:
    office = Office(store, most_in_flight=4)
    office.queue("greedy", 1000)
    assert office.admit() == ["greedy"] * 4
    office.queue("modest")
    office.end()
    office.end()
    assert "modest" in office.admit()
    assert store.waiting("greedy") == 1000 - 4 - 1
    assert store.waiting("modest") == 0


def test_a_newcomer_waits_for_at_most_one_of_each_other_key(store: TrajectoryStore) -> None:
    office = Office(store, most_in_flight=3)
    for number in range(10):
        office.queue(f"key-{number}", 30)
    office.turns(25)
    office.queue("a-newcomer")
    office.queue("z-newcomer")
    for _ in range(3):
        office.end()
    order = office.turns(12)
    for newcomer in ("a-newcomer", "z-newcomer"):
        before = Counter(order[: order.index(newcomer)])
        assert max(before.values(), default=0) <= 1


def test_turns_follow_the_weights(store: TrajectoryStore) -> None:
    office = Office(store, most_in_flight=1)
    office.queue("heavy", 60, weight=3)
    office.queue("light", 60)
    order = office.turns(40)
    assert Counter(order) == {"heavy": 30, "light": 10}
    gaps = "".join("l" if key == "light" else "h" for key in order).split("l")
    assert max(len(gap) for gap in gaps) <= 1 + 3


def test_coming_back_again_and_again_gains_nothing(store: TrajectoryStore) -> None:
    office = Office(store, most_in_flight=1)
    office.queue("steady", 60)
    order: list[str] = []
    for _ in range(40):
        if store.waiting("clever") == 0:
            office.queue("clever")
        if office.running:
            office.end()
        order += office.admit()
    assert abs(order.count("steady") - order.count("clever")) <= 1


def test_a_key_at_its_own_limit_is_stepped_over_and_does_not_catch_up(
    store: TrajectoryStore,
) -> None:
    office = Office(store, most_in_flight=6)
    office.queue("limited", 50, max_in_flight=2)
    office.queue("free", 50)
    assert Counter(office.admit()) == {"limited": 2, "free": 4}
    for _ in range(10):
        office.end("free")
        assert office.admit() == ["free"]
    office.end("limited")
    office.end("free")
    assert Counter(office.admit()) == {"limited": 1, "free": 1}


def test_interactive_goes_first_and_batch_never_starves(store: TrajectoryStore) -> None:
    office = Office(store, most_in_flight=1)
    office.queue("night", 50, lane=Lane.BATCH)
    office.queue("day", 50)
    order = office.turns(4 * BATCH_EVERY)
    assert order.count("night") == 4
    assert order[: BATCH_EVERY - 1] == ["day"] * (BATCH_EVERY - 1)
    office.most_in_flight = 99
    assert set(office.admit()) == {"day", "night"}


def test_what_waits_is_not_active_and_what_was_let_in_is(store: TrajectoryStore) -> None:
    office = Office(store, most_in_flight=1)
    first, second = office.queue("key", 2)
    assert list(store.active(saved_before=LATER)) == []
    office.admit()
    assert list(store.active(saved_before=LATER)) == [first]
    office.end()
    office.admit()
    assert list(store.active(saved_before=LATER)) == [second]


def test_what_is_cancelled_while_it_waits_leaves_the_line(store: TrajectoryStore) -> None:
    office = Office(store, most_in_flight=0)
    cancelled, kept = office.queue("key", 2)
    state = store.load(cancelled)
    assert state is not None
    changes = {"status": Status.CANCELLED, "pending": ()}
    store.save(state.model_copy(update=changes), expected_version=state.version)
    assert store.waiting("key") == 1
    assert store.admit(now=START, most_in_flight=9) == [kept]


def test_one_that_waits_for_its_caller_gives_its_place_free(store: TrajectoryStore) -> None:
    office = Office(store, most_in_flight=1)
    office.queue("key", 2)
    office.admit()
    (running,) = office.running
    asks = {"status": Status.AWAITING_APPROVAL, "pending": ()}
    asking = store.save(running.model_copy(update=asks), expected_version=running.version)
    assert len(office.admit()) == 1
    goes_on = {"status": Status.RUNNING, "pending": running.pending}
    store.save(asking.model_copy(update=goes_on), expected_version=asking.version)
    assert store.admit(now=START, most_in_flight=2) == []


def test_a_restored_store_knows_who_waits_and_who_runs(store: TrajectoryStore) -> None:
    ticket = Ticket(key="key")
    for number, status in enumerate([Status.RUNNING, Status.QUEUED, Status.QUEUED]):
        state = trajectory(trajectory_id=f"trj_{number:024d}")
        changes = {"ticket": ticket, "status": status, "version": 1}
        store.restore(state.model_copy(update=changes))
    assert store.waiting("key") == 2
    assert len(store.admit(now=START, most_in_flight=2)) == 1
