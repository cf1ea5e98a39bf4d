"""API key records in Redis: one hash, digest -> record; kept in the bucket as well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import anyio

from services.gateway.auth import ApiKey, ended
from shared.stores.accounts import RESTORED, AccountRecords, api_key_place
from shared.stores.redis_errors import store_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis


class RedisApiKeyStore:
    """An ``ApiKeyStore`` that finds with ``redis.asyncio`` and writes account records."""

    def __init__(self, redis: Redis, records: AccountRecords) -> None:
        self._redis = redis
        self._records = records

    async def find(self, digest: str) -> ApiKey | None:
        """See ``ApiKeyStore.find``; an unknown key is looked for in the bucket after a loss."""
        found, restored = await self._look_up(digest)
        if found is None and not restored:
            await anyio.to_thread.run_sync(self._records.restore_if_lost)
            found, _ = await self._look_up(digest)
        return found

    async def add(self, key: ApiKey) -> None:
        """See ``ApiKeyStore.add``."""
        place, text = api_key_place(key.digest), key.model_dump_json()
        await anyio.to_thread.run_sync(self._records.put, place, text)

    async def all(self) -> Sequence[ApiKey]:
        """See ``ApiKeyStore.all``."""
        await anyio.to_thread.run_sync(self._records.restore_if_lost)
        hash_name = api_key_place("").hash_name
        records = await anyio.to_thread.run_sync(self._records.all, hash_name)
        keys = [ApiKey.model_validate_json(record) for record in records]
        return sorted(keys, key=lambda key: (key.created_at, key.id))

    async def end(self, key_id: str, *, at: datetime) -> ApiKey | None:
        """See ``ApiKeyStore.end``."""
        for key in await self.all():
            if key.id == key_id:
                changed = ended(key, at)
                await self.add(changed)
                return changed
        return None

    async def _look_up(self, digest: str) -> tuple[ApiKey | None, bool]:
        with store_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hget(api_key_place(digest).hash_name, digest)
                pipe.exists(RESTORED)
                found, restored = await pipe.execute()
        return None if found is None else ApiKey.model_validate_json(found), bool(restored)
