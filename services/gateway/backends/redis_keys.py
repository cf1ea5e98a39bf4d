"""API key records in Redis: one hash, digest -> record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from services.gateway.auth import ApiKey
from shared.stores.redis_errors import store_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

_RECORDS = "interleave:api_keys"


class RedisApiKeyStore:
    """An ``ApiKeyStore`` on ``redis.asyncio``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def find(self, digest: str) -> ApiKey | None:
        """See ``ApiKeyStore.find``."""
        with store_errors():
            found = await self._redis.hget(_RECORDS, digest)
            return None if found is None else ApiKey.model_validate_json(found)

    async def add(self, key: ApiKey) -> None:
        """See ``ApiKeyStore.add``."""
        with store_errors():
            await self._redis.hset(_RECORDS, key.digest, key.model_dump_json())

    async def all(self) -> Sequence[ApiKey]:
        """See ``ApiKeyStore.all``."""
        with store_errors():
            records = await self._redis.hvals(_RECORDS)
            keys = [ApiKey.model_validate_json(record) for record in records]
            return sorted(keys, key=lambda key: (key.created_at, key.id))

    async def remove(self, key_id: str) -> bool:
        """See ``ApiKeyStore.remove``."""
        with store_errors():
            for key in await self.all():
                if key.id == key_id:
                    return bool(await self._redis.hdel(_RECORDS, key.digest))
            return False
