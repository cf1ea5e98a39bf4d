"""Account records on a real Valkey server that loses everything, and a bucket that does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from shared.errors import StoreUnavailableError
from shared.stores.accounts import (
    AccountRecords,
    Place,
    api_key_place,
    endpoint_place,
    place_of,
    secret_place,
)
from tests.fakes.image_store import MemoryImageStore
from tests.servers import ValkeyServer

PLACES = [api_key_place("d" * 64), secret_place("ten_1"), endpoint_place("ten_1", "whe_1")]


class DeletesWhileListing(MemoryImageStore):
    """An object disappears right after it was read for the first time."""

    def get_json(self, key: str) -> str | None:
        text = MemoryImageStore.get_json(self, key)
        self.delete(key)
        return text


class BucketAway(MemoryImageStore):
    """Takes nothing."""

    def put_json(self, key: str, text: str) -> None:
        raise StoreUnavailableError


@pytest.fixture
def client(valkey: ValkeyServer) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(valkey.url)
    client.flushdb()
    yield client
    client.close()


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.key.split("/")[1])
def test_a_place_is_known_by_its_object_key(place: Place) -> None:
    assert place_of(place.key) == place
    assert place_of("accounts/other/thing.json") is None


def test_everything_comes_back_after_a_wipe(client: redis.Redis) -> None:
    records = AccountRecords(client, MemoryImageStore())
    for place in PLACES:
        records.put(place, f"text of {place.field}")
    client.flushdb()
    assert records.get(PLACES[0]) is None
    assert records.restore_if_lost() == len(PLACES)
    assert [records.get(place) for place in PLACES] == [f"text of {p.field}" for p in PLACES]
    assert records.restore_if_lost() == 0


def test_what_was_deleted_or_changed_stays_so_after_a_wipe(client: redis.Redis) -> None:
    records = AccountRecords(client, MemoryImageStore())
    for place in PLACES:
        records.put(place, "old")
    assert records.delete(PLACES[0])
    assert not records.delete(PLACES[0])
    assert records.change(PLACES[1], lambda old: f"{old}er") == "older"
    assert records.change(PLACES[0], lambda old: f"{old}er") is None
    client.flushdb()
    records.restore_if_lost()
    assert [records.get(place) for place in PLACES] == [None, "older", "old"]


def test_a_key_that_is_revoked_during_the_restoring_does_not_rise_again(
    client: redis.Redis,
) -> None:
    objects = DeletesWhileListing()
    objects.put_json(PLACES[0].key, "record")
    records = AccountRecords(client, objects)
    assert records.restore_if_lost() == 0
    assert records.get(PLACES[0]) is None


def test_what_cannot_be_kept_is_not_taken(client: redis.Redis) -> None:
    records = AccountRecords(client, BucketAway())
    with pytest.raises(StoreUnavailableError):
        records.put(PLACES[0], "record")
    assert records.get(PLACES[0]) is None


def test_a_change_is_made_to_what_is_there_now(client: redis.Redis) -> None:
    records = AccountRecords(client, MemoryImageStore())
    records.put(PLACES[2], "a")
    interfered: list[bool] = []

    def change(old: str) -> str:
        if not interfered:
            interfered.append(True)
            records.put(PLACES[2], "b")
        return f"{old}!"

    assert records.change(PLACES[2], change) == "b!"
    assert records.get(PLACES[2]) == "b!"
