"""Leases on a real Valkey server."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis

from shared.stores import redis_keys as keys
from shared.stores.leases import RedisLeases
from tests.servers import ValkeyServer

TTL_S = 5.0


@pytest.fixture
def client(valkey: ValkeyServer) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(valkey.url)
    client.flushdb()
    yield client
    client.close()


@pytest.fixture
def leases(client: redis.Redis) -> RedisLeases:
    return RedisLeases(client)


def test_only_one_holds_a_lease(leases: RedisLeases) -> None:
    first = leases.acquire("t", "plan", ttl_s=TTL_S)
    assert first is not None
    assert leases.acquire("t", "plan", ttl_s=TTL_S) is None
    assert leases.acquire("t", "other", ttl_s=TTL_S) is not None
    leases.release("t", "plan", token=first.token)
    assert leases.acquire("t", "plan", ttl_s=TTL_S) is not None


def test_executions_are_counted_per_command(leases: RedisLeases) -> None:
    for expected in (1, 2, 3):
        lease = leases.acquire("t", "plan", ttl_s=TTL_S)
        assert lease is not None
        assert lease.execution == expected
        leases.release("t", "plan", token=lease.token)


def test_an_execution_that_was_handed_over_is_not_counted(leases: RedisLeases) -> None:
    for _ in range(3):
        lease = leases.acquire("t", "plan", ttl_s=TTL_S)
        assert lease is not None
        assert lease.execution == 1
        leases.release("t", "plan", token=lease.token, counts=False)


def test_a_lease_that_is_not_renewed_ends(leases: RedisLeases) -> None:
    assert leases.acquire("t", "plan", ttl_s=0.05) is not None
    time.sleep(0.1)
    assert leases.alive("t", ["plan"]) == set()
    assert leases.acquire("t", "plan", ttl_s=TTL_S) is not None


def test_a_stranger_s_token_neither_renews_nor_releases(leases: RedisLeases) -> None:
    leases.acquire("t", "plan", ttl_s=TTL_S)
    assert not leases.renew("t", "plan", token="stranger", ttl_s=TTL_S)
    leases.release("t", "plan", token="stranger")
    assert leases.alive("t", ["plan", "other"]) == {"plan"}


def test_a_lease_that_ran_out_is_taken_back_if_nobody_has_it(
    leases: RedisLeases, client: redis.Redis
) -> None:
    lease = leases.acquire("t", "plan", ttl_s=TTL_S)
    assert lease is not None
    client.delete(keys.lease("t", "plan"))
    assert leases.renew("t", "plan", token=lease.token, ttl_s=TTL_S)
    assert leases.acquire("t", "plan", ttl_s=TTL_S) is None


def test_copies_of_a_waiting_command_are_sent_ever_more_rarely(leases: RedisLeases) -> None:
    sent = [
        second
        for second in range(0, 100)
        if leases.may_resend("t", "plan", now_s=float(second), pause_s=5.0)
    ]
    assert sent == [0, 5, 15, 35, 75]


def test_a_running_command_is_not_sent_again_and_starts_anew_when_lost(
    leases: RedisLeases,
) -> None:
    assert leases.may_resend("t", "plan", now_s=0, pause_s=5.0)
    lease = leases.acquire("t", "plan", ttl_s=TTL_S)
    assert lease is not None
    assert not leases.may_resend("t", "plan", now_s=100, pause_s=5.0)
    leases.release("t", "plan", token=lease.token)
    assert leases.may_resend("t", "plan", now_s=1, pause_s=5.0)
