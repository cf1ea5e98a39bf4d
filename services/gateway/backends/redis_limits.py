"""Call counts in Redis: one counter per key, quota and window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.gateway.rate_limit import Quota, Standing
from shared.stores.redis_errors import store_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis


class RedisCallCounter:
    """A ``CallCounter`` on ``redis.asyncio``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def count(self, key_id: str, quota: Quota) -> Standing:
        """See ``CallCounter.count``."""
        with store_errors():
            name = f"interleave:calls:{quota.name}:{key_id}"
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.set(name, 0, ex=quota.window_s, nx=True)
                pipe.incr(name)
                pipe.ttl(name)
                _, used, ttl_s = await pipe.execute()
            return Standing(quota, used=int(used), resets_in_s=max(0, int(ttl_s)))
