"""A trajectory's events for one listener: in order, each once, gaps closed by a snapshot.

How they look on the wire is decided in ``routes.events``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import anyio

from services.gateway.presenter import event_view, trajectory_view
from services.gateway.service import Trajectories, is_final
from services.gateway.views import EventView, GapView
from shared.contracts.events import PublicEvent
from shared.contracts.trajectories import Trajectory
from shared.errors import NotFoundError


async def listen(
    trajectories: Trajectories, trajectory: Trajectory, *, after: int
) -> AsyncGenerator[EventView | GapView, None]:
    """Events above ``after`` until a final one; a missing stretch becomes one ``GapView``."""
    seen = after
    async with aclosing(trajectories.events(trajectory.id, after=after)) as events:
        async for event in events:
            if isinstance(event, PublicEvent) and event.sequence <= seen:
                continue
            if isinstance(event, PublicEvent) and event.sequence == seen + 1:
                seen = event.sequence
                yield event_view(event, await _record(trajectories, trajectory, event))
                if is_final(event) and await _ended(trajectories, trajectory, event):
                    return
                continue
            snapshot = await _load(trajectories, trajectory)
            if snapshot is None:
                return
            seen = snapshot.sequence
            yield GapView(sequence=seen, snapshot=trajectory_view(snapshot))
            if snapshot.status.final:
                return


async def at_most(
    events: AsyncGenerator[EventView | GapView, None], seconds: float
) -> AsyncGenerator[EventView | GapView, None]:
    """The same events, for ``seconds`` at most: whoever listens longer comes again."""
    give_up_at = anyio.current_time() + seconds
    async with aclosing(events):
        while True:
            event: EventView | GapView | None = None
            with anyio.CancelScope(deadline=give_up_at), suppress(StopAsyncIteration):
                event = await anext(events)
            if event is None:
                return
            yield event


async def _ended(trajectories: Trajectories, trajectory: Trajectory, event: PublicEvent) -> bool:
    """Whether this final event is the last: a retried step goes on after it."""
    newest = await _load(trajectories, trajectory)
    return newest is None or (newest.status.final and newest.sequence <= event.sequence)


async def _record(
    trajectories: Trajectories, trajectory: Trajectory, event: PublicEvent
) -> Trajectory | None:
    """The record in which an event's picture can be looked up, if it has one."""
    return None if event.image_sha256 is None else await _load(trajectories, trajectory)


async def _load(trajectories: Trajectories, trajectory: Trajectory) -> Trajectory | None:
    try:
        return await trajectories.load(trajectory.tenant, trajectory.id)
    except NotFoundError:
        return None  # deleted while somebody listened
