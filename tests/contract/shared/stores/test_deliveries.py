"""Webhook deliveries on a real Valkey server, enqueued by the trajectory store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis

from shared.contracts.webhooks import Delivery, DeliveryStatus, DeliveryTry
from shared.stores.deliveries import RedisDeliveryStore
from shared.stores.redis_trajectories import RedisTrajectoryStore
from tests.servers import ValkeyServer
from tests.trajectories import START, queued_event, trajectory

SECOND = timedelta(seconds=1)


@pytest.fixture
def client(valkey: ValkeyServer) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(valkey.url)
    client.flushdb()
    yield client
    client.close()


@pytest.fixture
def store(client: redis.Redis) -> RedisDeliveryStore:
    trajectories = RedisTrajectoryStore(client)
    state = trajectory()
    saved = trajectories.create(state, events=[queued_event(state)])
    deliveries = [_delivery(number) for number in range(3)]
    saved = trajectories.save(saved, expected_version=1, webhooks=deliveries)
    trajectories.save(saved, expected_version=2, webhooks=deliveries)
    return RedisDeliveryStore(client)


def _delivery(number: int) -> Delivery:
    return Delivery(
        id=f"msg_{number}",
        tenant="ten_1",
        trajectory_id="trj_1",
        sequence=number,
        event="trajectory.succeeded",
        url="https://example.test",
        body="{}",
        created_at=START + number * SECOND,
    )


def test_what_is_saved_with_a_trajectory_is_due_at_once_and_once(
    store: RedisDeliveryStore,
) -> None:
    assert store.due(START - SECOND, limit=9) == []
    assert store.due(START + SECOND, limit=9) == ["msg_0", "msg_1"]
    assert store.due(START + 5 * SECOND, limit=1) == ["msg_0"]


def test_a_delivery_is_claimed_by_one(store: RedisDeliveryStore) -> None:
    claimed = store.claim("msg_0", now=START, busy_s=10)
    assert claimed == _delivery(0)
    assert store.claim("msg_0", now=START, busy_s=10) is None
    assert store.claim("msg_0", now=START + 11 * SECOND, busy_s=10) is not None
    assert store.claim("msg_unknown", now=START, busy_s=10) is None


def test_a_failed_try_comes_again_and_a_finished_delivery_does_not(
    store: RedisDeliveryStore,
) -> None:
    tried = _delivery(0).model_copy(update={"tries": (DeliveryTry(at=START),)})
    store.record(tried, next_at=START + 60 * SECOND)
    assert "msg_0" not in store.due(START + 59 * SECOND, limit=9)
    assert "msg_0" in store.due(START + 60 * SECOND, limit=9)
    done = tried.model_copy(update={"status": DeliveryStatus.DELIVERED})
    store.record(done, next_at=None)
    assert "msg_0" not in store.due(START + 600 * SECOND, limit=9)
    assert store.load("msg_0") == done


def test_a_replay_is_due_at_once_with_a_new_schedule(store: RedisDeliveryStore) -> None:
    tried = _delivery(0).model_copy(
        update={"tries": (DeliveryTry(at=START),), "status": DeliveryStatus.FAILED}
    )
    store.record(tried, next_at=None)
    again = store.replay("msg_0", now=START)
    assert again is not None
    assert (again.status, again.round) == (DeliveryStatus.PENDING, 1)
    assert store.due(START, limit=9) == ["msg_0"]
    assert store.replay("msg_unknown", now=START) is None


def test_the_log_is_paged_newest_first(store: RedisDeliveryStore) -> None:
    first, cursor = store.page("ten_1", limit=2, cursor=None)
    assert [delivery.id for delivery in first] == ["msg_2", "msg_1"]
    second, cursor = store.page("ten_1", limit=2, cursor=cursor)
    assert [delivery.id for delivery in second] == ["msg_0"]
    assert cursor is None
    assert store.page("ten_2", limit=2, cursor=None) == ([], None)


def test_an_endpoints_deliveries_have_a_log_of_their_own(client: redis.Redis) -> None:
    trajectories, store = RedisTrajectoryStore(client), RedisDeliveryStore(client)
    state = trajectory()
    saved = trajectories.create(state, events=[queued_event(state)])
    deliveries = [
        _delivery(number).model_copy(update={"endpoint": "whe_1" if number % 2 else None})
        for number in range(4)
    ]
    trajectories.save(saved, expected_version=1, webhooks=deliveries)
    mine, _ = store.page("ten_1", limit=9, cursor=None, endpoint="whe_1")
    first, cursor = store.page("ten_1", limit=1, cursor=None, endpoint="whe_1")
    second, _ = store.page("ten_1", limit=1, cursor=cursor, endpoint="whe_1")
    assert [each.id for each in mine] == ["msg_3", "msg_1"] == [first[0].id, second[0].id]
    assert len(store.page("ten_1", limit=9, cursor=None)[0]) == 4
    assert store.page("ten_2", limit=9, cursor=None, endpoint="whe_1")[0] == []


def test_gone_is_remembered_until_somebody_asks_for_a_replay(store: RedisDeliveryStore) -> None:
    assert not store.is_gone("trj_1")
    store.mark_gone("trj_1")
    assert store.is_gone("trj_1")
    store.replay("msg_0", now=START)
    assert not store.is_gone("trj_1")


def _tried(number: int, status: DeliveryStatus = DeliveryStatus.PENDING) -> Delivery:
    changes = {"tries": (DeliveryTry(at=START),), "status": status}
    return _delivery(number).model_copy(update=changes)


def test_a_later_event_is_not_tried_before_an_earlier_one(store: RedisDeliveryStore) -> None:
    later = START + 5 * SECOND
    assert store.claim("msg_1", now=later, busy_s=10) is None
    assert "msg_1" not in store.due(later, limit=9)  # put off, not forgotten
    assert "msg_1" in store.due(later + 10 * SECOND, limit=9)
    first = store.claim("msg_0", now=later, busy_s=10)
    assert first is not None
    store.record(_tried(0), next_at=later + 300 * SECOND)
    following = store.claim_next(first, now=later, busy_s=10)
    assert following == _delivery(1)
    assert store.claim_next(first, now=later, busy_s=10) is None  # somebody tries it already
    assert store.claim("msg_1", now=later, busy_s=10) is None
    store.record(_tried(1, DeliveryStatus.DELIVERED), next_at=None)
    assert store.claim("msg_2", now=later, busy_s=10) is not None


def test_a_failed_event_does_not_hold_up_the_next_ones(store: RedisDeliveryStore) -> None:
    store.record(_tried(0), next_at=START + 300 * SECOND)
    assert store.claim("msg_1", now=START + SECOND, busy_s=10) is not None


def test_other_addresses_have_an_order_of_their_own(client: redis.Redis) -> None:
    trajectories, store = RedisTrajectoryStore(client), RedisDeliveryStore(client)
    state = trajectory()
    saved = trajectories.create(state, events=[queued_event(state)])
    elsewhere = _delivery(1).model_copy(update={"endpoint": "whe_1"})
    trajectories.save(saved, expected_version=1, webhooks=[_delivery(0), elsewhere])
    assert store.claim("msg_1", now=START + 5 * SECOND, busy_s=10) is not None


def test_the_log_is_bounded_by_count_and_age_but_keeps_what_is_still_tried(
    store: RedisDeliveryStore,
) -> None:
    for number in (0, 1):
        store.record(_tried(number, DeliveryStatus.DELIVERED), next_at=None)
    assert store.trim(older_than=START - SECOND, most=10) == 0
    assert store.trim(older_than=START - SECOND, most=2) == 1
    assert [each.id for each in store.page("ten_1", limit=9, cursor=None)[0]] == ["msg_2", "msg_1"]
    assert store.load("msg_0") is None
    assert store.trim(older_than=START + 60 * SECOND, most=10) == 1
    assert [each.id for each in store.page("ten_1", limit=9, cursor=None)[0]] == ["msg_2"]
    assert store.claim("msg_2", now=START + 60 * SECOND, busy_s=10) is not None
