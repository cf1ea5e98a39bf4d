"""Webhook endpoints in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.contracts.webhooks import WebhookEndpoint
from shared.stores.endpoints import Change


@dataclass(slots=True)
class InMemoryEndpointStore:
    """An ``EndpointStore`` that forgets everything with the process."""

    endpoints: dict[tuple[str, str], WebhookEndpoint] = field(default_factory=dict)

    def of(self, tenant: str) -> list[WebhookEndpoint]:
        mine = [each for each in self.endpoints.values() if each.tenant == tenant]
        return sorted(mine, key=lambda each: (each.created_at, each.id))

    def load(self, tenant: str, endpoint_id: str) -> WebhookEndpoint | None:
        return self.endpoints.get((tenant, endpoint_id))

    def add(self, endpoint: WebhookEndpoint) -> None:
        self.endpoints[endpoint.tenant, endpoint.id] = endpoint

    def change(self, tenant: str, endpoint_id: str, change: Change) -> WebhookEndpoint | None:
        old = self.load(tenant, endpoint_id)
        if old is None:
            return None
        self.endpoints[tenant, endpoint_id] = change(old)
        return self.endpoints[tenant, endpoint_id]

    def remove(self, tenant: str, endpoint_id: str) -> bool:
        return self.endpoints.pop((tenant, endpoint_id), None) is not None
