"""Follows a trajectory's event stream to its end, through drops and gateway restarts."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator

import httpx
from httpx_sse import EventSource, ServerSentEvent, SSEError

from services.launcher.api import PATIENCE_S, ApiClient, checked
from services.launcher.errors import UnreachableError
from services.launcher.views import EventView, GapView

SILENCE_S = 45.0
"""The gateway sends a comment every 15 s: longer silence means a dead connection."""
FIRST_TRY_AGAIN_STATUS = 500


def follow(api: ApiClient, trajectory_id: str) -> Iterator[EventView | GapView]:
    """Every event from the first to the final one, each once.

    Raises:
        UnreachableError: The gateway stayed away for a minute.
        RefusedError: The trajectory is not there (any more).
    """
    last = 0
    heard_at = time.monotonic()
    while True:
        for event in _one_connection(api, trajectory_id, after=last):
            heard_at = time.monotonic()
            if event.sequence <= last:
                continue
            last = event.sequence
            yield event
            if _is_last(event):
                return
        if time.monotonic() - heard_at > PATIENCE_S + SILENCE_S:
            raise UnreachableError(f"Nothing answers at {api.http.base_url}.")
        time.sleep(api.pause_s)


def _is_last(event: EventView | GapView) -> bool:
    return event.snapshot.final if isinstance(event, GapView) else event.final


def _one_connection(
    api: ApiClient, trajectory_id: str, *, after: int
) -> Generator[EventView | GapView]:
    """Events until the connection ends, however it ends."""
    headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
    if after:
        headers["Last-Event-ID"] = str(after)
    timeout = httpx.Timeout(10.0, read=SILENCE_S)
    url = f"/v1/trajectories/{trajectory_id}/events"
    try:
        with api.http.stream("GET", url, headers=headers, timeout=timeout) as answer:
            if answer.status_code >= FIRST_TRY_AGAIN_STATUS:
                return
            if answer.is_error:
                answer.read()
            for event in EventSource(checked(answer)).iter_sse():
                if event.data:  # without it is a pause between events, or the stream's parameters
                    yield _parse(event)
    except (httpx.TransportError, SSEError):
        return


def _parse(event: ServerSentEvent) -> EventView | GapView:
    if event.event == "gap":
        return GapView.model_validate_json(event.data)
    return EventView.model_validate_json(event.data)
