"""Which webhook deliveries an event causes, and what their body says. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from shared.contracts.events import PublicEvent
from shared.contracts.trajectories import Status, Trajectory
from shared.contracts.webhooks import EVERY_EVENT, Delivery, WebhookEndpoint

_FINAL_EVENTS = frozenset(f"trajectory.{status}" for status in Status if status.final)


def deliveries_for(
    state: Trajectory,
    events: Sequence[PublicEvent],
    endpoints: Sequence[WebhookEndpoint] = (),
) -> tuple[Delivery, ...]:
    """One delivery for every event and everybody who wants it (by default final states).

    Ids follow from trajectory, event and endpoint alone, so that saving twice sends once.
    """
    target = state.request.webhook
    found: list[Delivery] = []
    for event in events:
        if target is not None and _wanted(event, target.events):
            found.append(_delivery(state, event, target.url))
        found += [
            _delivery(state, event, endpoint.url, endpoint=endpoint.id)
            for endpoint in endpoints
            if endpoint.disabled_at is None and _wanted(event, endpoint.events)
        ]
    return tuple(found)


def final_delivery(
    state: Trajectory, endpoints: Sequence[WebhookEndpoint] = ()
) -> tuple[Delivery, ...]:
    """The delivery of the final state of a record without its events (see ``Journal``)."""
    if not state.status.final:
        return ()
    event = PublicEvent(
        sequence=state.sequence,
        type=f"trajectory.{state.status}",
        trajectory_id=state.id,
        at=state.finished_at or state.updated_at,
        problem=state.problem,
    )
    return deliveries_for(state, (event,), endpoints)


def _wanted(event: PublicEvent, types: Sequence[str]) -> bool:
    return event.type in (types or _FINAL_EVENTS) or EVERY_EVENT in types


def _delivery(
    state: Trajectory, event: PublicEvent, url: str, *, endpoint: str | None = None
) -> Delivery:
    suffix = "" if endpoint is None else f"_{endpoint.removeprefix('whe_')}"
    return Delivery(
        id=f"msg_{state.id.removeprefix('trj_')}_{event.sequence}{suffix}",
        tenant=state.tenant,
        trajectory_id=state.id,
        sequence=event.sequence,
        event=event.type,
        url=url,
        endpoint=endpoint,
        body=_body(state, event),
        created_at=event.at,
    )


def _body(state: Trajectory, event: PublicEvent) -> str:
    """The body as Standard Webhooks advises: type, timestamp, data."""
    data = {
        **event.model_dump(mode="json", exclude={"type", "at"}, exclude_none=True),
        "status": str(state.status),
        "steps": len(state.steps),
        "usage": state.usage.model_dump(mode="json"),
        "metadata": state.request.metadata,
    }
    body = {"type": event.type, "timestamp": event.at.isoformat(), "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
