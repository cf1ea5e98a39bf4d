"""What waits, read from a real Valkey server that the stores have written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis

from shared.contracts.admission import Lane, Ticket
from shared.contracts.webhooks import Delivery, DeliveryStatus, DeliveryTry
from shared.stores.deliveries import RedisDeliveryStore
from shared.stores.overview import RedisOverview, Undelivered, WaitingLine
from shared.stores.redis_trajectories import RedisTrajectoryStore
from tests.servers import ValkeyServer
from tests.trajectories import START, queued_event, trajectory

MINUTE = timedelta(minutes=1)


@pytest.fixture
def client(valkey: ValkeyServer) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(valkey.url)
    client.flushdb()
    yield client
    client.close()


def queue(store: RedisTrajectoryStore, number: int, ticket: Ticket) -> str:
    state = trajectory(trajectory_id=f"trj_{number:024d}", at=START + number * MINUTE)
    state = state.model_copy(update={"ticket": ticket})
    return store.create(state, events=[queued_event(state)]).id


def test_lines_are_counted_and_dated_by_lane_and_key(client: redis.Redis) -> None:
    store, overview = RedisTrajectoryStore(client), RedisOverview(client)
    assert list(overview.lines()) == []
    first, second = (queue(store, n, Ticket(key="key_1")) for n in (1, 2))
    other = queue(store, 3, Ticket(key="key_2", lane=Lane.BATCH))
    assert list(overview.lines()) == [
        WaitingLine(Lane.INTERACTIVE, "key_1", 2, first, START + MINUTE),
        WaitingLine(Lane.BATCH, "key_2", 1, other, START + 3 * MINUTE),
    ]
    assert store.admit(now=START, most_in_flight=1) == [first]
    assert overview.in_flight() == 1
    assert [line.oldest_id for line in overview.lines()] == [second, other]


def test_messages_are_counted_by_queue(client: redis.Redis) -> None:
    client.lpush("plan", "a", "b")
    assert RedisOverview(client).messages(["plan", "generate"]) == {"plan": 2, "generate": 0}


def test_the_oldest_undelivered_webhook_is_known_until_it_is_final(client: redis.Redis) -> None:
    trajectories, deliveries = RedisTrajectoryStore(client), RedisDeliveryStore(client)
    overview = RedisOverview(client)
    assert overview.undelivered() == Undelivered(0, None)
    state = trajectory()
    saved = trajectories.create(state, events=[queued_event(state)])
    delivery = Delivery(
        id="msg_1",
        tenant="ten_1",
        trajectory_id=state.id,
        sequence=1,
        event="trajectory.succeeded",
        url="https://example.test",
        body="{}",
        created_at=START,
    )
    trajectories.save(saved, expected_version=1, webhooks=[delivery])
    assert overview.undelivered() == Undelivered(1, START)
    tried = delivery.model_copy(update={"tries": (DeliveryTry(at=START + MINUTE),)})
    deliveries.record(tried, next_at=START + 5 * MINUTE)
    assert overview.undelivered() == Undelivered(1, START)
    failed = tried.model_copy(update={"status": DeliveryStatus.FAILED})
    deliveries.record(failed, next_at=None)
    assert overview.undelivered() == Undelivered(0, None)
    deliveries.replay("msg_1", now=START + 9 * MINUTE)
    assert overview.undelivered() == Undelivered(1, START + 9 * MINUTE)
