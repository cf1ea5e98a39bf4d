"""What is known of a tenant beyond its API keys: the secret its webhooks are signed with.

Written by the gateway when it makes a tenant's first key, read by the orchestrator when it
signs. API keys themselves are the gateway's alone.
"""

from __future__ import annotations

import base64
import secrets
from typing import Protocol

from shared.stores.accounts import AccountRecords, secret_place

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


class AccountTenantStore:
    """A ``TenantStore`` among the account records."""

    def __init__(self, records: AccountRecords) -> None:
        self._records = records

    def webhook_secret(self, tenant: str) -> str | None:
        """See ``TenantStore.webhook_secret``."""
        return self._records.get(secret_place(tenant))

    def ensure(self, tenant: str, *, webhook_secret: str) -> str:
        """See ``TenantStore.ensure``."""
        return self._records.put_new(secret_place(tenant), webhook_secret)


def new_webhook_secret() -> str:
    """A random secret in the form of Standard Webhooks."""
    return webhook_secret_from(secrets.token_bytes(_SECRET_BYTES))


def webhook_secret_from(key: bytes) -> str:
    """``key`` in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(key).decode()
