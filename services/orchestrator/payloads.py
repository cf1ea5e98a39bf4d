"""Which webhook deliveries an event causes, and what their body says. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from shared.contracts.events import PublicEvent
from shared.contracts.trajectories import Status, Trajectory
from shared.contracts.webhooks import Delivery

_FINAL_EVENTS = frozenset(f"trajectory.{status}" for status in Status if status.final)


def deliveries_for(state: Trajectory, events: Sequence[PublicEvent]) -> tuple[Delivery, ...]:
    """One delivery for every event the request's webhook asks for (by default final states)."""
    target = state.request.webhook
    if target is None:
        return ()
    wanted = frozenset(target.events) or _FINAL_EVENTS
    return tuple(_delivery(state, event, target.url) for event in events if event.type in wanted)


def final_delivery(state: Trajectory) -> tuple[Delivery, ...]:
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
    return deliveries_for(state, (event,))


def _delivery(state: Trajectory, event: PublicEvent, url: str) -> Delivery:
    return Delivery(
        id=f"msg_{state.id.removeprefix('trj_')}_{event.sequence}",
        tenant=state.tenant,
        trajectory_id=state.id,
        sequence=event.sequence,
        event=event.type,
        url=url,
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
