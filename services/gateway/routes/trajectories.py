"""Create, read, list, cancel, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from services.gateway.creation import start, start_fork
from services.gateway.presenter import summary_view, trajectory_view
from services.gateway.routes.access import Creator, KeyedRoute, PartsOf, Reader, Writer
from services.gateway.routes.identifiers import TrajectoryId
from services.gateway.routes.preferences import MAX_WAIT_S, Prefer, answer, wait_asked
from services.gateway.schemas import ForkBody, TrajectoryBody
from services.gateway.views import TrajectoryPage, TrajectoryView
from shared.contracts.trajectories import Status
from shared.telemetry.tracing import trace_headers

router = APIRouter(prefix="/v1", tags=["trajectories"], route_class=KeyedRoute)

IdempotencyKey = Annotated[
    str | None,
    Header(description="The same key and body within 24 hours give the same trajectory."),
]


@router.post(
    "/trajectories",
    status_code=202,
    responses={200: {"model": TrajectoryView, "description": "Ended within the wait."}},
)
async def create_trajectory(
    *,
    body: TrajectoryBody,
    response: Response,
    parts: PartsOf,
    key: Creator,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> TrajectoryView:
    """Start a trajectory: 202 at once, or the result with `Prefer: wait=N` (then 200)."""
    started = await start(
        parts, key, body, idempotency_key=idempotency_key, trace=dict(trace_headers())
    )
    waited_s = wait_asked(prefer, parts.settings)
    trajectory = await parts.trajectories.wait(started.trajectory, timeout_s=waited_s)
    return answer(response, trajectory, waited_s=waited_s, replayed=started.replayed)


@router.get("/trajectories")
async def list_trajectories(
    parts: PartsOf,
    key: Reader,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    status: Status | None = None,
) -> TrajectoryPage:
    """The caller's trajectories, newest first."""
    found, next_cursor = await parts.trajectories.page(
        key.tenant, limit=limit, cursor=cursor, status=status
    )
    data = [summary_view(trajectory) for trajectory in found]
    return TrajectoryPage(data=data, next_cursor=next_cursor)


@router.get("/trajectories/{trajectory_id:id}")
async def get_trajectory(
    trajectory_id: TrajectoryId,
    parts: PartsOf,
    key: Reader,
    wait: Annotated[
        int, Query(ge=0, le=MAX_WAIT_S, description="Seconds to wait for a final state.")
    ] = 0,
) -> TrajectoryView:
    """State, plan, steps with every attempt and verdict, and the output so far."""
    trajectory = await parts.trajectories.load(key.tenant, trajectory_id)
    timeout_s = min(wait, parts.settings.max_wait_s)
    return trajectory_view(await parts.trajectories.wait(trajectory, timeout_s=timeout_s))


@router.post(
    "/trajectories/{trajectory_id:id}:cancel",
    status_code=202,
    responses={200: {"model": TrajectoryView, "description": "It is cancelled."}},
)
async def cancel_trajectory(
    trajectory_id: TrajectoryId,
    response: Response,
    parts: PartsOf,
    key: Writer,
    prefer: Prefer = None,
) -> TrajectoryView:
    """Stop it: no new call starts, the running one is aborted."""
    waited_s = wait_asked(prefer, parts.settings)
    trajectory = await parts.trajectories.cancel(key.tenant, trajectory_id)
    trajectory = await parts.trajectories.wait(trajectory, timeout_s=waited_s)
    return answer(response, trajectory, waited_s=waited_s)


@router.post(
    "/trajectories/{trajectory_id:id}:fork",
    status_code=202,
    responses={200: {"model": TrajectoryView, "description": "Ended within the wait."}},
)
async def fork_trajectory(
    *,
    trajectory_id: TrajectoryId,
    body: ForkBody,
    response: Response,
    parts: PartsOf,
    key: Creator,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> TrajectoryView:
    """Start a new trajectory that keeps the steps before `step` and does the rest anew."""
    started = await start_fork(
        parts,
        key,
        trajectory_id,
        body=body,
        idempotency_key=idempotency_key,
        trace=dict(trace_headers()),
    )
    waited_s = wait_asked(prefer, parts.settings)
    trajectory = await parts.trajectories.wait(started.trajectory, timeout_s=waited_s)
    return answer(response, trajectory, waited_s=waited_s, replayed=started.replayed)


@router.delete("/trajectories/{trajectory_id:id}", status_code=204)
async def delete_trajectory(trajectory_id: TrajectoryId, parts: PartsOf, key: Writer) -> None:
    """Remove its record, journal and images; one that still runs is cancelled first."""
    await parts.trajectories.delete(key.tenant, trajectory_id)
