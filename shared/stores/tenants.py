"""What is known of a tenant beyond its API keys: the secret its webhooks are signed with.

Written by the gateway when it makes a tenant's first key, read by the orchestrator when it
signs. API keys themselves are the gateway's alone.
"""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from redis import Redis

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of Standard Webhooks secrets
_SECRET_BYTES = 32


class TenantStore(Protocol):
    """Synchronous and thread safe."""

    def webhook_secret(self, tenant: str) -> str | None:
        """The tenant's ``whsec_...`` signing secret, or None if the tenant is unknown."""
        ...

    def ensure(self, tenant: str, *, webhook_secret: str) -> str:
        """Keep ``webhook_secret`` unless the tenant has one already; gives the one that counts."""
        ...


class RedisTenantStore:
    """A ``TenantStore`` with one hash per tenant."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def webhook_secret(self, tenant: str) -> str | None:
        """See ``TenantStore.webhook_secret``."""
        found = self._redis.hget(_key(tenant), "webhook_secret")
        return found.decode() if isinstance(found, bytes) else found  # pyright: ignore

    def ensure(self, tenant: str, *, webhook_secret: str) -> str:
        """See ``TenantStore.ensure``."""
        self._redis.hsetnx(_key(tenant), "webhook_secret", webhook_secret)
        return self.webhook_secret(tenant) or webhook_secret


def new_webhook_secret() -> str:
    """A random secret in the form of Standard Webhooks."""
    return webhook_secret_from(secrets.token_bytes(_SECRET_BYTES))


def webhook_secret_from(key: bytes) -> str:
    """``key`` in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def _key(tenant: str) -> str:
    return f"interleave:tenant:{tenant}"
