"""The event feed on streams that the store wrote, on a real Valkey server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis
from redis.asyncio import Redis

from shared.contracts.events import PublicEvent
from shared.contracts.trajectories import Trajectory
from shared.stores import redis_keys as keys
from shared.stores.events import EventFeed, Gap
from shared.stores.redis_trajectories import RedisTrajectoryStore
from tests.servers import ValkeyServer
from tests.trajectories import START, queued_event, trajectory


class Writer:
    """Publishes numbered events through the store."""

    def __init__(self, client: redis.Redis) -> None:
        client.flushdb()
        self.client = client
        self.store = RedisTrajectoryStore(client)
        state = trajectory()
        self.state: Trajectory = self.store.create(state, events=[queued_event(state)])

    def publish(self, count: int) -> None:
        first = self.state.sequence + 1
        events = [
            PublicEvent(sequence=n, type="plan.step", trajectory_id=self.state.id, at=START)
            for n in range(first, first + count)
        ]
        state = self.state.model_copy(update={"sequence": self.state.sequence + count})
        self.state = self.store.save(state, expected_version=self.state.version, events=events)


@pytest.fixture
def writer(valkey: ValkeyServer) -> Writer:
    return Writer(redis.Redis.from_url(valkey.url))


@pytest.fixture
async def feed(valkey: ValkeyServer) -> AsyncIterator[EventFeed]:
    client = Redis.from_url(valkey.url)
    yield EventFeed(client)
    await client.aclose()


async def _take(feed: EventFeed, writer: Writer, *, after: int, count: int) -> list[object]:
    taken: list[object] = []
    async with asyncio.timeout(5):
        async for item in feed.follow(writer.state.id, after=after):
            taken.append(item.sequence if isinstance(item, PublicEvent) else item)
            if len(taken) == count:
                break
    return taken


@pytest.mark.parametrize("after", range(5))
async def test_whoever_drops_anywhere_sees_every_event_exactly_once(
    feed: EventFeed, writer: Writer, after: int
) -> None:
    writer.publish(4)
    taken = await _take(feed, writer, after=after, count=5 - after)
    assert taken == list(range(after + 1, 6))
    assert await feed.latest(writer.state.id) == 5


async def test_events_arrive_while_one_waits(feed: EventFeed, writer: Writer) -> None:
    waiting = asyncio.create_task(_take(feed, writer, after=1, count=2))
    await asyncio.sleep(0.05)
    await asyncio.to_thread(writer.publish, 2)
    assert await waiting == [2, 3]


async def test_a_cursor_older_than_the_buffer_gets_a_gap_first(
    feed: EventFeed, writer: Writer
) -> None:
    writer.publish(5)
    writer.client.xtrim(keys.events(writer.state.id), maxlen=2, approximate=False)
    assert await _take(feed, writer, after=1, count=3) == [Gap(4), 5, 6]


async def test_events_lost_with_the_server_are_a_gap(feed: EventFeed, writer: Writer) -> None:
    writer.publish(5)
    writer.client.delete(keys.events(writer.state.id))
    assert await _take(feed, writer, after=3, count=1) == [Gap(6)]
    assert await feed.latest(writer.state.id) == 0


async def test_at_least_a_thousand_events_are_kept(feed: EventFeed, writer: Writer) -> None:
    for _ in range(13):
        writer.publish(100)
    assert writer.client.xlen(keys.events(writer.state.id)) >= 1000  # type: ignore[operator]
