"""``Prefer: wait=N`` (RFC 7240) and how a trajectory is answered with or without waiting."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header, Response

from services.gateway.presenter import trajectory_view
from services.gateway.settings import GatewaySettings
from services.gateway.views import TrajectoryView
from shared.contracts.trajectories import Trajectory

MAX_WAIT_S = 60
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", re.IGNORECASE)
_OK, _ACCEPTED = 200, 202

Prefer = Annotated[
    str | None,
    Header(description="`wait=N`: answer when it is final, or after N seconds (at most 60)."),
]


def wait_asked(prefer: str | None, settings: GatewaySettings) -> int:
    """Seconds the caller would wait, as many as are allowed; 0 without such a preference."""
    found = _WAIT.search(prefer or "")
    return 0 if found is None else int(min(int(found[1]), settings.max_wait_s))


def answer(
    response: Response, trajectory: Trajectory, *, waited_s: int, replayed: bool = False
) -> TrajectoryView:
    """Set status and headers of an answer to something that goes on by itself."""
    response.status_code = _OK if trajectory.status.final else _ACCEPTED
    response.headers["Location"] = f"/v1/trajectories/{trajectory.id}"
    if waited_s:
        response.headers["Preference-Applied"] = f"wait={waited_s}"
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return trajectory_view(trajectory)
