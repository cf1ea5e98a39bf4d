"""Starting a trajectory once, however often the caller repeats the request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from services.gateway.auth import ApiKey
from services.gateway.forking import first_of_fork
from services.gateway.idempotency import Claim, claim, settle
from services.gateway.parts import Parts
from services.gateway.rate_limit import TooManyWaitingError
from services.gateway.schemas import ForkBody, TrajectoryBody
from services.gateway.service import first_version, new_trajectory_id
from shared.contracts.admission import Lane, Ticket
from shared.contracts.trajectories import Trajectory
from shared.errors import NotFoundError, RequestError, StoreError, UpstreamError

FirstVersion = Callable[[str], Awaitable[Trajectory]]
"""Checks a request and gives its first version under an id; saves nothing."""


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

    async def first(trajectory_id: str) -> Trajectory:
        ticket = await _ticket(parts, key, body.priority)
        request = await parts.admission.admit(key.tenant, body)
        now = parts.trajectories.now()
        made = first_version(key.tenant, trajectory_id, request, now=now, trace=trace)
        return made.model_copy(update={"ticket": ticket})

    fingerprinted = body.model_dump_json().encode()
    return await _start(parts, key, first, body=fingerprinted, idempotency_key=idempotency_key)


async def start_fork(
    parts: Parts,
    key: ApiKey,
    parent_id: str,
    *,
    body: ForkBody,
    idempotency_key: str | None,
    trace: dict[str, str],
) -> Started:
    """Create a fork of the trajectory, or show the one the idempotency key stands for."""
    parent = await parts.trajectories.load(key.tenant, parent_id)

    async def first(trajectory_id: str) -> Trajectory:
        ticket = await _ticket(parts, key, body.priority)
        made = await first_of_fork(parts, parent, body, fork_id=trajectory_id, trace=trace)
        return made.model_copy(update={"ticket": ticket})

    fingerprinted = f"{parent_id}:fork\n{body.model_dump_json()}".encode()
    return await _start(parts, key, first, body=fingerprinted, idempotency_key=idempotency_key)


async def _start(
    parts: Parts,
    key: ApiKey,
    first: FirstVersion,
    *,
    body: bytes,
    idempotency_key: str | None,
) -> Started:
    create = partial(_create, parts, first)
    if idempotency_key is None:
        return Started(await create(new_trajectory_id()), replayed=False)
    claimed = await claim(
        parts.reservations,
        owner=key.id,
        key=idempotency_key,
        body=body,
        trajectory_id=new_trajectory_id(),
    )
    if claimed.replayed:
        shown = await parts.trajectories.load(key.tenant, claimed.trajectory_id)
        return Started(shown, replayed=True)
    return await _finish_claim(parts, key, claimed, create)


async def _finish_claim(parts: Parts, key: ApiKey, claimed: Claim, create: FirstVersion) -> Started:
    earlier = await _existing(parts, key, claimed.trajectory_id)
    if earlier is not None:
        await settle(parts.reservations, claimed)
        return Started(earlier, replayed=True)
    try:
        trajectory = await create(claimed.trajectory_id)
    except (RequestError, UpstreamError):
        # Nothing was created: the same key may come again, with a better body too.
        await parts.reservations.abandon(claimed.name)
        raise
    except StoreError:
        # It may exist or not; whoever comes again with the key finds out, and need not wait.
        with suppress(StoreError):
            await parts.reservations.unlock(claimed.name)
        raise
    await settle(parts.reservations, claimed)
    return Started(trajectory, replayed=False)


async def _existing(parts: Parts, key: ApiKey, trajectory_id: str) -> Trajectory | None:
    try:
        return await parts.trajectories.load(key.tenant, trajectory_id)
    except NotFoundError:
        return None


async def _ticket(parts: Parts, key: ApiKey, lane: Lane) -> Ticket:
    """The new trajectory's place in line.

    Raises:
        TooManyWaitingError: too many of this key's trajectories wait already.
    """
    limits, settings = key.limits, parts.settings
    most = settings.key_max_waiting if limits.max_waiting is None else limits.max_waiting
    if most is not None and await parts.trajectories.waiting(key.id) >= max(most, 1):
        raise TooManyWaitingError(most)
    return Ticket(
        key=key.id,
        lane=lane,
        weight=limits.weight,
        max_in_flight=limits.max_in_flight or settings.key_max_in_flight,
    )


async def _create(parts: Parts, first: FirstVersion, trajectory_id: str) -> Trajectory:
    return await parts.trajectories.create_or_show(await first(trajectory_id))
