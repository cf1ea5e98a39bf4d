"""One trajectory in this process, with given engines, through the same ``advance``.

For parity checks, notebooks and measurements: no Redis, no queue, no HTTP. Commands are
carried out one after the other; a failure ends the trajectory without retries.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from services.orchestrator.carrying_out import carry_out
from services.orchestrator.machine import advance
from services.orchestrator.ports import Critic, Engines, Generator, Planner
from shared.contracts.events import CommandFailed, DeadlinePassed, Happening, PublicEvent
from shared.contracts.trajectories import Command, PlanCommand, Trajectory, TrajectoryRequest
from shared.errors import InterleaveError

LOCAL_ID = "trj_local00000000000000000000"


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _ignore(_: PublicEvent) -> None:
    return None


def run_local(
    request: TrajectoryRequest,
    *,
    planner: Planner,
    critic: Critic,
    generator: Generator,
    trajectory_id: str = LOCAL_ID,
    on_event: Callable[[PublicEvent], None] = _ignore,
    clock: Callable[[], datetime] = _utc_now,
) -> Trajectory:
    """Carry a request through to its final state (or until it awaits approval).

    Args:
        request: as the gateway would accept it; ``request.generator`` may be any name.
        planner: writes the plan.
        critic: judges each picture.
        generator: draws; must store what it draws under the task's ``output_key``.
        trajectory_id: part of the object keys.
        on_event: called with every public event.
        clock: present time, with time zone.
    """
    engines = Engines(planner, critic, {request.generator: generator})
    state = _first(request, trajectory_id, clock())
    while state.pending:
        command = state.pending[0]
        for happening in _carried_out(state, command, engines):
            for each in (happening, DeadlinePassed()):
                step = advance(state, each, now=clock())
                state = step.state
                for event in step.events:
                    on_event(event)
            if command.id not in {pending.id for pending in state.pending}:
                break
    return state


def _carried_out(state: Trajectory, command: Command, engines: Engines) -> list[Happening]:
    happenings: list[Happening] = []
    try:
        happenings += carry_out(state, command, engines, lambda: False)
    except InterleaveError as error:
        happenings.append(CommandFailed(command_id=command.id, problem=error.problem()))
    return happenings


def _first(request: TrajectoryRequest, trajectory_id: str, now: datetime) -> Trajectory:
    deadline_s = request.deadline_s
    return Trajectory(
        id=trajectory_id,
        tenant="local",
        request=request,
        created_at=now,
        updated_at=now,
        deadline_at=None if deadline_s is None else now + timedelta(seconds=deadline_s),
        pending=(PlanCommand(id="plan"),),
    )
