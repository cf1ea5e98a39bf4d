"""One body of tests for the gateway's small stores, in memory and on a real Valkey."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest
import redis
import redis.asyncio

from services.gateway.auth import ApiKeyStore, record_of
from services.gateway.backends.redis_keys import RedisApiKeyStore
from services.gateway.backends.redis_limits import RedisCallCounter
from services.gateway.backends.redis_reservations import RedisReservationStore
from services.gateway.idempotency import Reservation, ReservationStore
from services.gateway.rate_limit import CallCounter, Quota
from shared.stores.accounts import AccountRecords
from shared.stores.durations import KEPT_CALLS, CallDurations, RedisCallDurations
from shared.stores.tenants import AccountTenantStore, TenantStore
from tests.fakes.gateway_stores import (
    InMemoryApiKeyStore,
    InMemoryCallCounter,
    InMemoryCallDurations,
    InMemoryReservationStore,
    InMemoryTenantStore,
)
from tests.fakes.image_store import MemoryImageStore
from tests.servers import ValkeyServer

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(params=["memory", "valkey"])
async def connection(
    request: pytest.FixtureRequest,
) -> AsyncGenerator[redis.asyncio.Redis | None]:
    if request.param == "memory":
        yield None
        return
    server: ValkeyServer = request.getfixturevalue("valkey")
    client = redis.asyncio.Redis.from_url(server.url)
    yield client
    await client.aclose()


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex}"


async def test_keys_are_found_listed_and_ended_for_good(
    connection: redis.asyncio.Redis | None, request: pytest.FixtureRequest
) -> None:
    store: ApiKeyStore = InMemoryApiKeyStore()
    if connection is not None:
        server: ValkeyServer = request.getfixturevalue("valkey")
        records = AccountRecords(redis.Redis.from_url(server.url), MemoryImageStore())
        store = RedisApiKeyStore(connection, records)
    key = record_of(unique("il_"), unique("ten_"), now=NOW, name="mine")
    assert await store.find(key.digest) is None
    await store.add(key)
    assert await store.find(key.digest) == key
    assert key in await store.all()
    ended = await store.end(key.id, at=NOW)
    assert ended is not None
    assert ended.expires_at == NOW
    assert await store.find(key.digest) == ended
    assert await store.end(key.id, at=NOW + timedelta(hours=1)) == ended
    assert await store.end(key.id + "x", at=NOW) is None


async def test_a_name_is_reserved_once_and_locked_once(
    connection: redis.asyncio.Redis | None,
) -> None:
    store: ReservationStore = (
        RedisReservationStore(connection) if connection else InMemoryReservationStore()
    )
    name = unique("name")
    first = Reservation(fingerprint="a", trajectory_id="trj_1")
    assert await store.reserve(name, first) is None
    assert await store.reserve(name, Reservation(fingerprint="b", trajectory_id="x")) == first
    assert await store.lock(name)
    assert not await store.lock(name)
    done = first.model_copy(update={"created": True})
    await store.finish(name, done)
    assert await store.reserve(name, first) == done
    assert await store.lock(name)
    await store.unlock(name)
    assert await store.lock(name)
    await store.abandon(name)
    assert await store.reserve(name, first) is None
    assert await store.lock(name)


async def test_calls_are_counted_by_key_and_quota(connection: redis.asyncio.Redis | None) -> None:
    counter: CallCounter = RedisCallCounter(connection) if connection else InMemoryCallCounter()
    name, quota = unique("key"), Quota("calls", calls=2)
    standings = [await counter.count(name, quota) for _ in range(3)]
    other = await counter.count(unique("key"), quota)
    assert [standing.used for standing in standings] == [1, 2, 3]
    assert [standing.exceeded for standing in standings] == [False, False, True]
    assert 0 < standings[0].resets_in_s <= 60
    assert other.used == 1


@pytest.mark.parametrize("kind", ["memory", "valkey"])
def test_a_tenants_first_webhook_secret_stays(kind: str, request: pytest.FixtureRequest) -> None:
    store: TenantStore = InMemoryTenantStore()
    if kind == "valkey":
        server: ValkeyServer = request.getfixturevalue("valkey")
        store = AccountTenantStore(AccountRecords(redis.Redis.from_url(server.url)))
    tenant = unique("ten")
    assert store.webhook_secret(tenant) is None
    assert store.ensure(tenant, webhook_secret="whsec_a") == "whsec_a"
    assert store.ensure(tenant, webhook_secret="whsec_b") == "whsec_a"
    assert store.webhook_secret(tenant) == "whsec_a"


@pytest.mark.parametrize("kind", ["memory", "valkey"])
def test_the_newest_durations_of_each_kind_of_call_are_kept(
    kind: str, request: pytest.FixtureRequest
) -> None:
    store: CallDurations = InMemoryCallDurations()
    if kind == "valkey":
        server: ValkeyServer = request.getfixturevalue("valkey")
        store = RedisCallDurations(redis.Redis.from_url(server.url))
    plan = unique("plan")
    assert store.recent(plan) == []
    for number in range(KEPT_CALLS + 1):
        store.record(plan, float(number))
    store.record(unique("other"), 7.0)
    kept = store.recent(plan)
    assert (len(kept), kept[0], kept[-1]) == (KEPT_CALLS, float(KEPT_CALLS), 1.0)
