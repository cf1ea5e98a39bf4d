"""Webhook endpoints of tenants: written by the gateway, read where events are sent from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from shared.contracts.webhooks import WebhookEndpoint
from shared.stores.accounts import AccountRecords, endpoint_place

Change = Callable[[WebhookEndpoint], WebhookEndpoint]


class EndpointStore(Protocol):
    """Synchronous and thread safe; raises ``StoreUnavailableError`` like every store."""

    def of(self, tenant: str) -> list[WebhookEndpoint]:
        """All of a tenant's endpoints, oldest first."""
        ...

    def load(self, tenant: str, endpoint_id: str) -> WebhookEndpoint | None:
        """One endpoint, or None."""
        ...

    def add(self, endpoint: WebhookEndpoint) -> None:
        """Keep a new endpoint."""
        ...

    def change(self, tenant: str, endpoint_id: str, change: Change) -> WebhookEndpoint | None:
        """Replace an endpoint by what ``change`` makes of the newest version; None: unknown."""
        ...

    def remove(self, tenant: str, endpoint_id: str) -> bool:
        """Forget an endpoint; False if there was none."""
        ...


class AccountEndpointStore:
    """An ``EndpointStore`` among the account records."""

    def __init__(self, records: AccountRecords) -> None:
        self._records = records

    def of(self, tenant: str) -> list[WebhookEndpoint]:
        """See ``EndpointStore.of``."""
        texts = self._records.all(endpoint_place(tenant, "").hash_name)
        found = [WebhookEndpoint.model_validate_json(text) for text in texts]
        return sorted(found, key=lambda endpoint: (endpoint.created_at, endpoint.id))

    def load(self, tenant: str, endpoint_id: str) -> WebhookEndpoint | None:
        """See ``EndpointStore.load``."""
        text = self._records.get(endpoint_place(tenant, endpoint_id))
        return None if text is None else WebhookEndpoint.model_validate_json(text)

    def add(self, endpoint: WebhookEndpoint) -> None:
        """See ``EndpointStore.add``."""
        place = endpoint_place(endpoint.tenant, endpoint.id)
        self._records.put(place, endpoint.model_dump_json())

    def change(self, tenant: str, endpoint_id: str, change: Change) -> WebhookEndpoint | None:
        """See ``EndpointStore.change``."""
        text = self._records.change(
            endpoint_place(tenant, endpoint_id),
            lambda old: change(WebhookEndpoint.model_validate_json(old)).model_dump_json(),
        )
        return None if text is None else WebhookEndpoint.model_validate_json(text)

    def remove(self, tenant: str, endpoint_id: str) -> bool:
        """See ``EndpointStore.remove``."""
        return self._records.delete(endpoint_place(tenant, endpoint_id))
