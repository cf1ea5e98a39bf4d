"""One body for every ``TrajectoryStore``: in memory, and Redis on a real Valkey server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis

from shared.contracts.events import CancelRequested, PlanApproved
from shared.contracts.trajectories import Status, Trajectory
from shared.contracts.webhooks import Delivery
from shared.errors import InvalidRequestError, NotFoundError, VersionConflictError
from shared.stores.redis_trajectories import RedisTrajectoryStore
from shared.stores.trajectories import Signal, TrajectoryStore
from tests.fakes.trajectory_store import InMemoryTrajectoryStore
from tests.servers import ValkeyServer
from tests.trajectories import START, queued_event, trajectory


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> Iterator[TrajectoryStore]:
    if request.param == "memory":
        yield InMemoryTrajectoryStore()
        return
    server: ValkeyServer = request.getfixturevalue("valkey")
    client = redis.Redis.from_url(server.url)
    client.flushdb()
    yield RedisTrajectoryStore(client)
    client.close()


def numbered(number: int, **fields: object) -> Trajectory:
    made = trajectory(trajectory_id=f"trj_{number:024d}", **fields)  # type: ignore[arg-type]
    return made.model_copy(update={"created_at": START + timedelta(seconds=number // 2)})


def created(store: TrajectoryStore, state: Trajectory) -> Trajectory:
    return store.create(state, events=[queued_event(state)])


def finished(state: Trajectory, status: Status = Status.SUCCEEDED) -> Trajectory:
    return state.model_copy(update={"status": status, "pending": (), "finished_at": START})


def delivery(state: Trajectory) -> Delivery:
    return Delivery(
        id=f"msg_{state.id}_9",
        tenant=state.tenant,
        trajectory_id=state.id,
        sequence=9,
        event="trajectory.succeeded",
        url="https://example.test",
        body="{}",
        created_at=START,
    )


def test_what_is_created_is_loaded_as_version_one(store: TrajectoryStore) -> None:
    saved = created(store, trajectory())
    assert saved.version == 1
    assert store.load(saved.id) == saved
    assert store.load("trj_unknown") is None


def test_an_id_is_created_once(store: TrajectoryStore) -> None:
    created(store, trajectory())
    with pytest.raises(VersionConflictError):
        created(store, trajectory())


def test_of_two_saves_from_one_version_the_second_is_refused(store: TrajectoryStore) -> None:
    first = created(store, trajectory())
    second = store.save(finished(first), expected_version=1)
    assert second.version == 2
    with pytest.raises(VersionConflictError):
        store.save(first, expected_version=1)
    assert store.load(first.id) == second


def test_a_deleted_record_is_not_brought_back_by_a_save(store: TrajectoryStore) -> None:
    first = created(store, trajectory())
    store.post(first.id, CancelRequested())
    store.delete(first.id)
    with pytest.raises(VersionConflictError):
        store.save(first, expected_version=1)
    assert store.load(first.id) is None
    assert store.with_mail() == []
    assert store.page(first.tenant, limit=10, cursor=None) == ([], None)
    assert list(store.active(saved_before=START + timedelta(days=1))) == []


def test_mail_is_kept_in_order_until_it_is_acknowledged(store: TrajectoryStore) -> None:
    first = created(store, trajectory())
    store.post(first.id, PlanApproved())
    store.post(first.id, CancelRequested())
    mail = store.load_mail(first.id)
    assert mail is not None
    assert mail.inbox == (PlanApproved(), CancelRequested())
    assert store.with_mail() == [first.id]
    store.save(first, expected_version=1, acknowledged=2)
    assert store.with_mail() == []
    left = store.load_mail(first.id)
    assert left is not None
    assert left.inbox == ()


def test_nothing_is_saved_past_unread_mail(store: TrajectoryStore) -> None:
    first = created(store, trajectory())
    store.post(first.id, CancelRequested())
    with pytest.raises(VersionConflictError):
        store.save(first, expected_version=1)
    assert store.load(first.id) == first


def test_a_refused_save_acknowledges_nothing(store: TrajectoryStore) -> None:
    first = created(store, trajectory())
    store.post(first.id, CancelRequested())
    with pytest.raises(VersionConflictError):
        store.save(first, expected_version=7, acknowledged=1)
    assert store.with_mail() == [first.id]


def test_nothing_is_posted_to_what_does_not_exist(store: TrajectoryStore) -> None:
    with pytest.raises(NotFoundError):
        store.post("trj_unknown", CancelRequested())
    assert store.load_mail("trj_unknown") is None


def test_signals_tell_whether_a_command_is_wanted_and_whether_there_is_mail(
    store: TrajectoryStore,
) -> None:
    first = created(store, trajectory())
    other = created(store, numbered(1))
    store.post(other.id, CancelRequested())
    asked = [(first.id, "plan"), (first.id, "generate-0-1"), (other.id, "plan")]
    assert store.signals(asked) == [
        Signal(wanted=True, mail=False),
        Signal(wanted=False, mail=False),
        Signal(wanted=True, mail=True),
    ]
    store.save(finished(first), expected_version=1)
    assert store.signals(asked[:1]) == [Signal(wanted=False, mail=False)]


def test_only_unfinished_trajectories_that_rested_a_while_are_active(
    store: TrajectoryStore,
) -> None:
    first = created(store, trajectory())
    assert list(store.active(saved_before=START)) == []
    assert list(store.active(saved_before=START + timedelta(seconds=1))) == [first.id]
    store.save(finished(first), expected_version=1)
    assert list(store.active(saved_before=START + timedelta(seconds=1))) == []


def test_deadlines_fall_due_until_the_end(store: TrajectoryStore) -> None:
    first = created(store, trajectory(deadline_s=10))
    created(store, numbered(1))
    assert store.due_deadlines(START + timedelta(seconds=9)) == []
    assert store.due_deadlines(START + timedelta(seconds=10)) == [first.id]
    store.save(finished(first), expected_version=1)
    assert store.due_deadlines(START + timedelta(seconds=10)) == []


def test_pages_come_newest_first_without_gap_or_repeat(store: TrajectoryStore) -> None:
    for number in range(7):
        created(store, numbered(number))
    created(store, numbered(8, tenant="ten_2"))
    seen, cursor = list[str](), None
    for _ in range(4):
        records, cursor = store.page("ten_1", limit=2, cursor=cursor)
        seen += [record.id for record in records]
    assert cursor is None
    assert seen == [numbered(number).id for number in reversed(range(7))]


def test_a_page_of_one_status(store: TrajectoryStore) -> None:
    for number in range(5):
        state = created(store, numbered(number))
        if number % 2:
            store.save(finished(state), expected_version=1)
    records, cursor = store.page("ten_1", limit=2, cursor=None, status=Status.SUCCEEDED)
    assert [record.id for record in records] == [numbered(3).id, numbered(1).id]
    while cursor is not None:
        records, cursor = store.page("ten_1", limit=2, cursor=cursor, status=Status.SUCCEEDED)
        assert records == []


@pytest.mark.parametrize("cursor", ["x", "zz-trj_1", "1-", "-"])
def test_a_made_up_cursor_is_refused(store: TrajectoryStore, cursor: str) -> None:
    with pytest.raises(InvalidRequestError):
        store.page("ten_1", limit=2, cursor=cursor)


def test_restore_puts_back_what_is_missing_and_nothing_else(store: TrajectoryStore) -> None:
    lost = trajectory().model_copy(update={"version": 5})
    assert store.restore(lost, webhooks=[delivery(lost)])
    assert not store.restore(lost.model_copy(update={"version": 4}))
    assert store.load(lost.id) == lost
    assert list(store.active(saved_before=START + timedelta(seconds=1))) == [lost.id]
    assert store.save(finished(lost), expected_version=5).version == 6


def test_a_store_is_intact_once_it_is_said_to_be(store: TrajectoryStore) -> None:
    assert not store.intact()
    store.mark_intact()
    assert store.intact()
