"""One body of tests for endpoint stores: in memory, and among the account records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis

from shared.contracts.webhooks import SigningKey, WebhookEndpoint
from shared.stores.accounts import AccountRecords
from shared.stores.endpoints import AccountEndpointStore, EndpointStore
from tests.fakes.endpoints import InMemoryEndpointStore
from tests.fakes.image_store import MemoryImageStore
from tests.servers import ValkeyServer
from tests.trajectories import START


@pytest.fixture(params=["memory", "valkey"])
def store(request: pytest.FixtureRequest) -> Iterator[EndpointStore]:
    if request.param == "memory":
        yield InMemoryEndpointStore()
        return
    server: ValkeyServer = request.getfixturevalue("valkey")
    with redis.Redis.from_url(server.url) as client:
        client.flushdb()
        yield AccountEndpointStore(AccountRecords(client, MemoryImageStore()))


def endpoint(number: int, tenant: str = "ten_1") -> WebhookEndpoint:
    at = START + timedelta(seconds=number)
    return WebhookEndpoint(
        id=f"whe_{number}",
        tenant=tenant,
        url="https://a.example.com",
        keys=(SigningKey(secret="whsec_AAAA"),),
        created_at=at,
        updated_at=at,
    )


def test_endpoints_are_kept_by_tenant_oldest_first(store: EndpointStore) -> None:
    for each in (endpoint(2), endpoint(1), endpoint(3, "ten_2")):
        store.add(each)
    assert store.of("ten_1") == [endpoint(1), endpoint(2)]
    assert store.load("ten_1", "whe_2") == endpoint(2)
    assert store.load("ten_1", "whe_3") is None
    assert store.of("nobody") == []


def test_an_endpoint_is_changed_and_removed(store: EndpointStore) -> None:
    store.add(endpoint(1))
    changed = store.change("ten_1", "whe_1", lambda old: old.model_copy(update={"url": "x"}))
    assert changed is not None
    assert changed.url == "x"
    assert store.load("ten_1", "whe_1") == changed
    assert store.change("ten_2", "whe_1", lambda old: old) is None
    assert not store.remove("ten_2", "whe_1")
    assert store.remove("ten_1", "whe_1")
    assert store.load("ten_1", "whe_1") is None
