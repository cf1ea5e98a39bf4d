"""Starting a trajectory once, however often the caller repeats the request."""

from __future__ import annotations

from dataclasses import dataclass

from services.gateway.auth import ApiKey
from services.gateway.idempotency import Claim, claim, settle
from services.gateway.parts import Parts
from services.gateway.schemas import TrajectoryBody
from services.gateway.service import new_trajectory_id
from shared.contracts.trajectories import Trajectory
from shared.errors import NotFoundError, RequestError, UpstreamError


@dataclass(frozen=True, slots=True)
class Started:
    """The trajectory, and whether an earlier request had started it."""

    trajectory: Trajectory
    replayed: bool


async def start(
    parts: Parts,
    key: ApiKey,
    body: TrajectoryBody,
    *,
    idempotency_key: str | None,
    trace: dict[str, str],
) -> Started:
    """Admit the request and create its trajectory, or show the one its key stands for."""
    if idempotency_key is None:
        return Started(await _create(parts, key, body, new_trajectory_id(), trace=trace), False)  # noqa: FBT003
    claimed = await claim(
        parts.reservations,
        owner=key.id,
        key=idempotency_key,
        body=body.model_dump_json().encode(),
        trajectory_id=new_trajectory_id(),
    )
    if claimed.replayed:
        shown = await parts.trajectories.load(key.tenant, claimed.trajectory_id)
        return Started(shown, replayed=True)
    return await _finish_claim(parts, key, body, claimed, trace=trace)


async def _finish_claim(
    parts: Parts, key: ApiKey, body: TrajectoryBody, claimed: Claim, *, trace: dict[str, str]
) -> Started:
    earlier = await _existing(parts, key, claimed.trajectory_id)
    if earlier is not None:
        await settle(parts.reservations, claimed)
        return Started(earlier, replayed=True)
    try:
        trajectory = await _create(parts, key, body, claimed.trajectory_id, trace=trace)
    except (RequestError, UpstreamError):
        # Nothing was created: the same key may come again, with a better body too.
        await parts.reservations.abandon(claimed.name)
        raise
    await settle(parts.reservations, claimed)
    return Started(trajectory, replayed=False)


async def _existing(parts: Parts, key: ApiKey, trajectory_id: str) -> Trajectory | None:
    try:
        return await parts.trajectories.load(key.tenant, trajectory_id)
    except NotFoundError:
        return None


async def _create(
    parts: Parts, key: ApiKey, body: TrajectoryBody, trajectory_id: str, *, trace: dict[str, str]
) -> Trajectory:
    request = await parts.admission.admit(key.tenant, body)
    return await parts.trajectories.create_or_show(key.tenant, trajectory_id, request, trace)
