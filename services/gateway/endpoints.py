"""What a tenant does with its webhook endpoints. Sending is the orchestrator's."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio

from services.gateway.admission import Admission
from services.gateway.delivery_log import DeliveryLog
from services.gateway.endpoint_schemas import EndpointBody, EndpointChange
from shared.contracts.webhooks import (
    Delivery,
    DeliveryStatus,
    DisabledReason,
    SigningKey,
    WebhookEndpoint,
)
from shared.errors import ConflictError, NotFoundError
from shared.stores.endpoints import Change, EndpointStore
from shared.stores.tenants import new_webhook_secret

MOST_ENDPOINTS = 20
_ID_BYTES = 12
_REPLAYED_AT_ONCE = 1000
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The endpoints of all tenants; every method takes the caller's."""

    store: EndpointStore
    deliveries: DeliveryLog
    admission: Admission

    async def create(self, tenant: str, body: EndpointBody, *, now: datetime) -> WebhookEndpoint:
        """Register an address, with a secret of its own.

        Raises:
            InvalidRequestError: the address may not be visited.
            ConflictError: there are too many already.
        """
        await self.admission.check_webhook(body.url, pointer="/url")
        if len(await self.all(tenant)) >= MOST_ENDPOINTS:
            raise ConflictError(f"A tenant has at most {MOST_ENDPOINTS} webhook endpoints.")
        endpoint = WebhookEndpoint(
            id="whe_" + secrets.token_hex(_ID_BYTES),
            tenant=tenant,
            url=body.url,
            description=body.description,
            events=body.events,
            keys=(SigningKey(secret=new_webhook_secret()),),
            created_at=now,
            updated_at=now,
        )
        await anyio.to_thread.run_sync(self.store.add, endpoint)
        return endpoint

    async def all(self, tenant: str) -> list[WebhookEndpoint]:
        """Oldest first."""
        return await anyio.to_thread.run_sync(self.store.of, tenant)

    async def load(self, tenant: str, endpoint_id: str) -> WebhookEndpoint:
        """One endpoint; NotFoundError if it is not the tenant's."""
        found = await anyio.to_thread.run_sync(self.store.load, tenant, endpoint_id)
        if found is None:
            raise NotFoundError("There is no such webhook endpoint.")
        return found

    async def change(
        self, tenant: str, endpoint_id: str, body: EndpointChange, *, now: datetime
    ) -> WebhookEndpoint:
        """Change address, filter or description, or switch it off and on."""
        if body.url is not None:
            await self.admission.check_webhook(body.url, pointer="/url")
        return await self._change(tenant, endpoint_id, lambda old: _changed(old, body, now))

    async def rotate(
        self, tenant: str, endpoint_id: str, *, overlap_s: int, now: datetime
    ) -> WebhookEndpoint:
        """Make a new secret; the one before signs as well for ``overlap_s``."""
        key = SigningKey(secret=new_webhook_secret())
        ends = now + timedelta(seconds=overlap_s)
        return await self._change(tenant, endpoint_id, lambda old: _rotated(old, key, ends, now))

    async def remove(self, tenant: str, endpoint_id: str) -> None:
        """Forget it; what is still on its way is not sent any more."""
        if not await anyio.to_thread.run_sync(self.store.remove, tenant, endpoint_id):
            raise NotFoundError("There is no such webhook endpoint.")

    async def page(
        self, tenant: str, endpoint_id: str, *, limit: int, cursor: str | None
    ) -> tuple[list[Delivery], str | None]:
        """Its deliveries, newest first."""
        await self.load(tenant, endpoint_id)
        return await anyio.to_thread.run_sync(
            lambda: self.deliveries.page(tenant, limit=limit, cursor=cursor, endpoint=endpoint_id)
        )

    async def replay(self, tenant: str, endpoint_id: str, *, since: datetime, now: datetime) -> int:
        """Send again what never arrived since then; gives how many deliveries."""
        await self.load(tenant, endpoint_id)
        return await anyio.to_thread.run_sync(self._replay, tenant, endpoint_id, since, now)

    def _replay(self, tenant: str, endpoint_id: str, since: datetime, now: datetime) -> int:
        cursor, again = None, 0
        for _ in range(_REPLAYED_AT_ONCE // _PAGE):
            found, cursor = self.deliveries.page(
                tenant, limit=_PAGE, cursor=cursor, endpoint=endpoint_id
            )
            for delivery in found:
                if delivery.created_at >= since and _never_arrived(delivery):
                    self.deliveries.replay(delivery.id, now=now)
                    again += 1
            if cursor is None or found[-1].created_at < since:
                break
        return again

    async def _change(self, tenant: str, endpoint_id: str, change: Change) -> WebhookEndpoint:
        found = await anyio.to_thread.run_sync(self.store.change, tenant, endpoint_id, change)
        if found is None:
            raise NotFoundError("There is no such webhook endpoint.")
        return found


def _never_arrived(delivery: Delivery) -> bool:
    return delivery.status in {DeliveryStatus.FAILED, DeliveryStatus.DISABLED}


def _changed(old: WebhookEndpoint, body: EndpointChange, now: datetime) -> WebhookEndpoint:
    changes: dict[str, object] = {"updated_at": now}
    if body.url is not None:
        changes["url"] = body.url
    if body.events is not None:
        changes["events"] = body.events
    if body.description is not None:
        changes["description"] = body.description
    if body.enabled is True:
        changes |= {"disabled_at": None, "disabled_reason": None}
    elif body.enabled is False and old.disabled_at is None:
        changes |= {"disabled_at": now, "disabled_reason": DisabledReason.OWNER}
    return old.model_copy(update=changes)


def _rotated(
    old: WebhookEndpoint, key: SigningKey, ends: datetime, now: datetime
) -> WebhookEndpoint:
    """Two secrets at most: one that was already on its way out ends at once."""
    before = old.keys[0].model_copy(update={"expires_at": ends})
    return old.model_copy(update={"keys": (key, before), "updated_at": now})
