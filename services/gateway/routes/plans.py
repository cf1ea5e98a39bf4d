"""Read, edit and approve a plan; redo a step."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from services.gateway.plan_changes import approve_plan, edit_plan, retry_step
from services.gateway.presenter import plan_view, trajectory_view
from services.gateway.routes.access import KeyedRoute, PartsOf, Reader, Writer
from services.gateway.routes.identifiers import TrajectoryId
from services.gateway.schemas import PlanBody, RetryBody
from services.gateway.views import PlanView, TrajectoryView

router = APIRouter(prefix="/v1", tags=["plans"], route_class=KeyedRoute)


@router.get("/trajectories/{trajectory_id:id}/plan")
async def get_plan(trajectory_id: TrajectoryId, parts: PartsOf, key: Reader) -> PlanView:
    """The plan as far as it is written."""
    return plan_view(await parts.trajectories.load(key.tenant, trajectory_id))


@router.put("/trajectories/{trajectory_id:id}/plan", status_code=202)
async def put_plan(
    trajectory_id: TrajectoryId, body: PlanBody, parts: PartsOf, key: Writer
) -> PlanView:
    """Replace the plan while it awaits approval; `revision` grows once that is done."""
    return plan_view(await edit_plan(parts.trajectories, key.tenant, trajectory_id, body=body))


@router.post("/trajectories/{trajectory_id:id}:approve", status_code=202)
async def approve(trajectory_id: TrajectoryId, parts: PartsOf, key: Writer) -> TrajectoryView:
    """Approve the plan: the pictures begin."""
    return trajectory_view(await approve_plan(parts.trajectories, key.tenant, trajectory_id))


@router.post("/trajectories/{trajectory_id:id}/steps/{number}:retry", status_code=202)
async def retry(
    trajectory_id: TrajectoryId,
    number: Annotated[int, Path(ge=1, description="The step's `step_number`.")],
    parts: PartsOf,
    key: Writer,
    body: RetryBody | None = None,
) -> TrajectoryView:
    """Redo a step of a finished trajectory, and every step after it."""
    trajectory = await retry_step(
        parts.trajectories, key.tenant, trajectory_id, number=number, body=body or RetryBody()
    )
    return trajectory_view(trajectory)
