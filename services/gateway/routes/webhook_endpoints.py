"""Webhook endpoints: registered addresses, their secrets, deliveries and replays."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.gateway.endpoint_schemas import (
    EndpointBody,
    EndpointChange,
    EndpointList,
    EndpointView,
    EndpointWithSecret,
    ReplayBody,
    Replayed,
    RotateBody,
    endpoint_view,
    with_secret,
)
from services.gateway.presenter import delivery_view
from services.gateway.routes.access import KeyedRoute, PartsOf, WebhookManager
from services.gateway.routes.identifiers import EndpointId
from services.gateway.views import DeliveryPage

router = APIRouter(prefix="/v1/webhook-endpoints", tags=["webhooks"], route_class=KeyedRoute)


@router.post("", status_code=201)
async def create_endpoint(
    body: EndpointBody, response: Response, parts: PartsOf, key: WebhookManager
) -> EndpointWithSecret:
    """Register an address for events of all trajectories; its secret is shown only now."""
    now = datetime.now(UTC)
    endpoint = await parts.endpoints.create(key.tenant, body, now=now)
    response.headers["Location"] = f"/v1/webhook-endpoints/{endpoint.id}"
    return with_secret(endpoint, now=now)


@router.get("")
async def list_endpoints(parts: PartsOf, key: WebhookManager) -> EndpointList:
    """Every endpoint of the caller, oldest first; disabled ones too."""
    now = datetime.now(UTC)
    found = await parts.endpoints.all(key.tenant)
    return EndpointList(data=[endpoint_view(endpoint, now=now) for endpoint in found])


@router.get("/{endpoint_id:id}")
async def get_endpoint(
    endpoint_id: EndpointId, parts: PartsOf, key: WebhookManager
) -> EndpointView:
    """One endpoint; `status` tells whether it is sent anything."""
    endpoint = await parts.endpoints.load(key.tenant, endpoint_id)
    return endpoint_view(endpoint, now=datetime.now(UTC))


@router.patch("/{endpoint_id:id}")
async def change_endpoint(
    endpoint_id: EndpointId, body: EndpointChange, parts: PartsOf, key: WebhookManager
) -> EndpointView:
    """Change address, filter or description; switch it off or on again."""
    now = datetime.now(UTC)
    endpoint = await parts.endpoints.change(key.tenant, endpoint_id, body, now=now)
    return endpoint_view(endpoint, now=now)


@router.delete("/{endpoint_id:id}", status_code=204)
async def delete_endpoint(endpoint_id: EndpointId, parts: PartsOf, key: WebhookManager) -> None:
    """Forget it; nothing more is sent there."""
    await parts.endpoints.remove(key.tenant, endpoint_id)


@router.post("/{endpoint_id:id}:rotate")
async def rotate_secret(
    endpoint_id: EndpointId, parts: PartsOf, key: WebhookManager, body: RotateBody | None = None
) -> EndpointWithSecret:
    """Make a new secret; for `overlap_s` both sign, so that receivers can change over."""
    now, asked = datetime.now(UTC), body or RotateBody()
    endpoint = await parts.endpoints.rotate(
        key.tenant, endpoint_id, overlap_s=asked.overlap_s, now=now
    )
    return with_secret(endpoint, now=now)


@router.get("/{endpoint_id:id}/deliveries")
async def list_endpoint_deliveries(
    endpoint_id: EndpointId,
    parts: PartsOf,
    key: WebhookManager,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> DeliveryPage:
    """Its deliveries with their tries, newest first."""
    found, next_cursor = await parts.endpoints.page(
        key.tenant, endpoint_id, limit=limit, cursor=cursor
    )
    return DeliveryPage(data=[delivery_view(d) for d in found], next_cursor=next_cursor)


@router.post("/{endpoint_id:id}:replay", status_code=202)
async def replay_endpoint(
    endpoint_id: EndpointId, body: ReplayBody, parts: PartsOf, key: WebhookManager
) -> Replayed:
    """Send again what never arrived since a moment, at most the newest 1000."""
    again = await parts.endpoints.replay(
        key.tenant, endpoint_id, since=body.since, now=datetime.now(UTC)
    )
    return Replayed(deliveries=again)
