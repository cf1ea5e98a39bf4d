"""Server-sent events of one trajectory, resumable with ``Last-Event-ID``."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.gateway.event_stream import at_most, listen
from services.gateway.routes.access import KeyedRoute, PartsOf, Reader
from services.gateway.routes.identifiers import TrajectoryId
from services.gateway.views import EventView, GapView
from shared.errors import InvalidRequestError

router = APIRouter(prefix="/v1", tags=["events"], route_class=KeyedRoute)
_MAX_SEQUENCE = 2**53 - 1
_SEQUENCE = re.compile(r"[0-9]{1,15}")
_DESCRIPTION = (
    "`text/event-stream`; each event has a type, a sequence as id, and JSON data. A `gap` event"
    " carries a snapshot where events are no longer kept. Ends after a final state."
)


@router.get(
    "/trajectories/{trajectory_id:id}/events",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": _DESCRIPTION},
        204: {"description": "Everything has been seen and nothing will follow."},
    },
)
async def stream_events(
    trajectory_id: TrajectoryId,
    parts: PartsOf,
    key: Reader,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[int, Query(ge=0, le=_MAX_SEQUENCE, description="Like `Last-Event-ID`.")] = 0,
) -> Response:
    """Every change of state, plan steps as they are written, pictures as they land."""
    trajectory = await parts.trajectories.load(key.tenant, trajectory_id)
    seen = _sequence(last_event_id) if last_event_id is not None else after
    if trajectory.status.final and seen >= trajectory.sequence:
        return Response(status_code=status.HTTP_204_NO_CONTENT)

    async def events() -> AsyncGenerator[ServerSentEvent, None]:
        heard = listen(parts.trajectories, trajectory, after=seen)
        async for event in at_most(heard, parts.settings.max_stream_s):
            yield _on_the_wire(event)

    return EventSourceResponse(
        events(),
        ping=max(1, round(parts.settings.heartbeat_s)),
        ping_message_factory=lambda: ServerSentEvent(comment="heartbeat"),
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _on_the_wire(event: EventView | GapView) -> ServerSentEvent:
    return ServerSentEvent(
        data=event.model_dump_json(exclude_none=True), event=event.type, id=str(event.sequence)
    )


def _sequence(last_event_id: str) -> int:
    if not _SEQUENCE.fullmatch(last_event_id):
        raise InvalidRequestError("`Last-Event-ID` must be the id of an event.")
    return int(last_event_id)
