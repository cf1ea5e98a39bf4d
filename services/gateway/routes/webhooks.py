"""Webhook deliveries: their log, replay, and the secret they are signed with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import anyio
from fastapi import APIRouter, Query

from services.gateway.delivery_log import replay
from services.gateway.presenter import delivery_view
from services.gateway.routes.access import KeyedRoute, PartsOf, WebhookManager
from services.gateway.routes.identifiers import DeliveryId
from services.gateway.views import DeliveryPage, DeliveryView, SigningSecret
from shared.errors import NotFoundError

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=KeyedRoute)


@router.get("/deliveries")
async def list_deliveries(
    parts: PartsOf,
    key: WebhookManager,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> DeliveryPage:
    """Every delivery with its tries, newest first."""
    found, next_cursor = await anyio.to_thread.run_sync(
        lambda: parts.deliveries.page(key.tenant, limit=limit, cursor=cursor)
    )
    return DeliveryPage(data=[delivery_view(d) for d in found], next_cursor=next_cursor)


@router.post("/deliveries/{delivery_id:id}:replay", status_code=202)
async def replay_delivery(
    delivery_id: DeliveryId, parts: PartsOf, key: WebhookManager
) -> DeliveryView:
    """Send it again, with the same `webhook-id` and body."""
    now = datetime.now(UTC)
    return delivery_view(await replay(parts.deliveries, key.tenant, delivery_id, now=now))


@router.get("/secret")
async def get_secret(parts: PartsOf, key: WebhookManager) -> SigningSecret:
    """The secret with which receivers check signatures."""
    secret = await anyio.to_thread.run_sync(parts.tenants.webhook_secret, key.tenant)
    if secret is None:
        raise NotFoundError("This tenant has no signing secret.")
    return SigningSecret(secret=secret)
