"""Account records: API keys, signing secrets and webhook endpoints; lost by nobody's restart.

Each is written to the bucket first and then to Redis, and read from Redis alone. When Redis
lost everything, ``restore_if_lost`` puts back what the bucket knows. Of API keys only the
record with its hash is kept; signing secrets stand there as they are, because signing needs
them. Trajectories have a journal of their own (``journal``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from shared.stores.journal import JournalObjects
from shared.stores.redis_errors import store_errors

if TYPE_CHECKING:
    from redis import Redis

_FOLDER = "accounts/"
RESTORED = "interleave:accounts"
"""Exists as long as this server holds what the bucket knows."""
_MOST_CONFLICTS = 100

_CHANGE = """
-- Replace a field if it still holds what the caller saw. ARGV: field, old, new
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one record is: a field of a Redis hash, and an object."""

    hash_name: str
    field: str
    key: str


def api_key_place(digest: str) -> Place:
    """Of an API key's record."""
    return Place("interleave:api_keys", digest, f"{_FOLDER}api_keys/{digest}.json")


def secret_place(tenant: str) -> Place:
    """Of a tenant's own signing secret."""
    key = f"{_FOLDER}tenants/{tenant}/webhook_secret.json"
    return Place(f"interleave:tenant:{tenant}", "webhook_secret", key)


def endpoint_place(tenant: str, endpoint_id: str) -> Place:
    """Of a webhook endpoint."""
    key = f"{_FOLDER}endpoints/{tenant}/{endpoint_id}.json"
    return Place(f"interleave:tenant:{tenant}:endpoints", endpoint_id, key)


def place_of(key: str) -> Place | None:
    """The place whose object has this key, or None if it is none of ours."""
    match key.removeprefix(_FOLDER).removesuffix(".json").split("/"):
        case ["api_keys", digest]:
            return api_key_place(digest)
        case ["tenants", tenant, "webhook_secret"]:
            return secret_place(tenant)
        case ["endpoints", tenant, endpoint_id]:
            return endpoint_place(tenant, endpoint_id)
        case _:
            return None


class AccountRecords:
    """Texts in places. Synchronous and thread safe; raises ``StoreUnavailableError``.

    Without ``objects`` nothing is kept beyond Redis: for readers, and for tests.
    """

    def __init__(self, redis: Redis, objects: JournalObjects | None = None) -> None:
        self._redis = redis
        self._objects = objects
        self._change = redis.register_script(_CHANGE)

    def get(self, place: Place) -> str | None:
        """The text, or None."""
        with store_errors():
            found = cast("bytes | None", self._redis.hget(place.hash_name, place.field))
        return None if found is None else found.decode()

    def all(self, hash_name: str) -> list[str]:
        """Every text of one hash, in no order."""
        with store_errors():
            found = cast("list[bytes]", self._redis.hvals(hash_name))
        return [each.decode() for each in found]

    def put(self, place: Place, text: str) -> None:
        """Keep a text, in the bucket first: what was answered for must outlive Redis."""
        self._keep(place, text)
        with store_errors():
            self._redis.hset(place.hash_name, place.field, text)

    def put_new(self, place: Place, text: str) -> str:
        """Keep a text unless there is one already; gives the one that counts."""
        with store_errors():
            self._redis.hsetnx(place.hash_name, place.field, text)
        kept = self.get(place) or text
        self._keep(place, kept)
        return kept

    def change(self, place: Place, change: Callable[[str], str]) -> str | None:
        """Replace a text by what ``change`` makes of it; None if there is none."""
        for _ in range(_MOST_CONFLICTS):
            old = self.get(place)
            if old is None:
                return None
            new = change(old)
            with store_errors():
                changed = self._change([place.hash_name], [place.field, old, new])
            if changed:
                # Read again: of two writers the later one must not leave the older text behind.
                self._keep(place, self.get(place) or new)
                return new
        return None

    def delete(self, place: Place) -> bool:
        """Forget a text, in the bucket first; False if there was none."""
        if self._objects is not None:
            self._objects.delete(place.key)
        with store_errors():
            return bool(self._redis.hdel(place.hash_name, place.field))

    def restore_if_lost(self) -> int:
        """Put back what Redis lacks, if it lost its data; gives how many records."""
        with store_errors():
            if self._objects is None or self._redis.exists(RESTORED):
                return 0
        restored = sum(self._restore(key) for key in self._objects.list_keys(_FOLDER))
        with store_errors():
            self._redis.set(RESTORED, "1")
        return restored

    def _restore(self, key: str) -> bool:
        place, objects = place_of(key), self._objects
        text = None if objects is None or place is None else objects.get_json(key)
        if place is None or objects is None or text is None:
            return False
        with store_errors():
            added = bool(self._redis.hsetnx(place.hash_name, place.field, text))
            if added and objects.get_json(key) is None:
                # Deleted while it was read: a revoked key must not rise again.
                self._redis.hdel(place.hash_name, place.field)
                return False
        return added

    def _keep(self, place: Place, text: str) -> None:
        if self._objects is not None:
            self._objects.put_json(place.key, text)
