"""Carries out one command: lease, call, retries, commit. Knows neither Celery nor HTTP."""

from __future__ import annotations

import time
from contextlib import closing

import structlog

from services.orchestrator.carrying_out import carry_out
from services.orchestrator.cells import UNSUSPECTED, End, SolitaryCells
from services.orchestrator.committing import Committer
from services.orchestrator.heartbeat import Heartbeat, Watch, unwatched
from services.orchestrator.lanes import Lanes
from services.orchestrator.measures import (
    CALLS_RETRIED,
    CALLS_STOPPED,
    COMMAND_SECONDS,
    COMMANDS_FAILED,
    DUPLICATES,
    SUSPECTS,
)
from services.orchestrator.patience import Patience, Tries
from services.orchestrator.ports import Engines
from shared.contracts.events import CommandFailed
from shared.contracts.problems import Problem
from shared.contracts.trajectories import Command, PlanCommand, Trajectory
from shared.errors import InterleaveError, StoreUnavailableError
from shared.stores.durations import CallDurations, kind_of
from shared.stores.leases import Lease, Leases
from shared.telemetry.tracing import continued

_log = structlog.get_logger(__name__)
_SUSPECTS = "suspects"
_UNSEEN = 4
"""A command whose every end went unseen is given up after so many times ``max_executions``."""


class Workflow:
    """What a worker does with the messages it gets."""

    def __init__(
        self,
        leases: Leases,
        *,
        committer: Committer,
        heartbeat: Heartbeat,
        engines: Engines,
        durations: CallDurations,
        patience: Patience,
        lease_s: float,
        max_executions: int,
        cells: SolitaryCells,
        max_cells: int = 4,
    ) -> None:
        self._leases = leases
        self._committer = committer
        self._heartbeat = heartbeat
        self._engines = engines
        self._durations = durations
        self._patience = patience
        self._lease_s = lease_s
        self._max_executions = max_executions
        self._cells = cells
        self._lanes = Lanes(max_cells)

    def run_command(self, trajectory_id: str, command_id: str) -> None:
        """Carry out a command unless somebody else does or it is no longer pending."""
        lease = self._acquire(trajectory_id, command_id)
        if lease is None:
            return
        if lease.execution <= UNSUSPECTED or self._given_up(lease):
            self._carry_out_under(lease, trajectory_id, command_id)
            return
        # Suspects are carried out one by one; until it is this one's turn anybody may have it.
        self._leases.release(trajectory_id, command_id, token=lease.token, counts=False)
        self._lanes.run(
            _SUSPECTS,
            f"{trajectory_id} {command_id}",
            job=lambda: self._run_suspect(trajectory_id, command_id),
        )

    def carry_out_alone(self, trajectory_id: str, command_id: str) -> bool:
        """Carry out a command whose lease is held outside; False if it is still pending."""
        state = self._committer.commit(trajectory_id)
        command = _pending(state, command_id)
        if state is None or command is None:
            return True
        with continued(state.trace):
            newest = self._carry_out(state, command, unwatched(trajectory_id, command_id))
        return _pending(newest, command_id) is None

    def drain_inbox(self, trajectory_id: str) -> None:
        """Work in what callers posted."""
        self._committer.commit(trajectory_id)

    def _acquire(self, trajectory_id: str, command_id: str) -> Lease | None:
        lease = self._leases.acquire(trajectory_id, command_id, ttl_s=self._lease_s)
        if lease is None:
            DUPLICATES.inc()
        return lease

    def _run_suspect(self, trajectory_id: str, command_id: str) -> None:
        lease = self._acquire(trajectory_id, command_id)
        if lease is not None:
            self._carry_out_under(lease, trajectory_id, command_id)

    def _carry_out_under(self, lease: Lease, trajectory_id: str, command_id: str) -> None:
        state, handed_over = lease.trajectory, False
        try:
            state = self._run(state, command_id, lease)
            handed_over = True
        finally:
            # The lease of a command that is done may as well run out by itself. One that was
            # stopped here goes to somebody else; only ends by an error count against it.
            if _pending(state, command_id) is not None:
                self._leases.release(
                    trajectory_id, command_id, token=lease.token, counts=not handed_over
                )

    def _run(self, state: Trajectory | None, command_id: str, lease: Lease) -> Trajectory | None:
        """Carry the command out; gives the newest state known."""
        command = _pending(state, command_id)
        if state is None or command is None:
            DUPLICATES.inc()
            return None
        if self._given_up(lease):
            problem = _poison(command_id, lease)
            failed = CommandFailed(command_id=command_id, problem=problem)
            return self._committer.commit(state.id, failed, basis=state)
        return self._watched(state, command, lease)

    def _given_up(self, lease: Lease) -> bool:
        """Only ends that were seen while it ran alone convict a command, if there are any."""
        alone = max(1, self._max_executions - UNSUSPECTED)
        return lease.deaths >= alone or lease.execution > _UNSEEN * self._max_executions

    def _watched(self, state: Trajectory, command: Command, lease: Lease) -> Trajectory | None:
        with (
            continued(state.trace),
            self._heartbeat.watching(state, command.id, lease) as watch,
            COMMAND_SECONDS.labels(command.type).time(),
        ):
            if lease.execution > UNSUSPECTED:
                return self._isolate(state, command, watch)
            return self._carry_out(state, command, watch)

    def _isolate(self, state: Trajectory, command: Command, watch: Watch) -> Trajectory | None:
        """Have it carried out in a cell; gives a state without it if it is done."""
        end = self._cells.carry_out(state.id, command.id, watch.cancelled)
        SUSPECTS.labels(str(end)).inc()
        if end is End.DIED:
            self._leases.note_death(state.id, command.id)
        return None if end is End.ENDED else state

    def _carry_out(self, state: Trajectory, command: Command, watch: Watch) -> Trajectory | None:
        tries = Tries(self._patience)
        while not watch.cancelled():
            try:
                return self._call(state, command, watch)
            except InterleaveError as error:
                if watch.cancelled():
                    CALLS_STOPPED.labels(command.type).inc()
                    return state
                pause_s = tries.pause_after(error)
                if pause_s is None:
                    return self._give_up(state, command, error)
                CALLS_RETRIED.labels(command.type, error.code).inc()
                _log.info("call_retried", code=error.code, detail=error.detail)
                watch.stopped.wait(pause_s)
        return state

    def _call(self, state: Trajectory, command: Command, watch: Watch) -> Trajectory | None:
        """One call, everything that happens meanwhile committed."""
        newest, happening = state, None
        began_s = time.perf_counter()
        with closing(carry_out(state, command, self._engines, watch.cancelled)) as happenings:
            for happening in happenings:
                newest = self._committer.commit(state.id, happening, basis=newest)
        given = isinstance(command, PlanCommand) and command.given is not None
        if not given and not isinstance(happening, CommandFailed):
            self._note_duration(state, command, time.perf_counter() - began_s)
        return newest

    def _note_duration(self, state: Trajectory, command: Command, seconds: float) -> None:
        try:
            self._durations.record(kind_of(command, state.request.generator), seconds)
        except StoreUnavailableError:
            _log.warning("duration_not_recorded")  # an estimate is worth no retry

    def _give_up(
        self, state: Trajectory, command: Command, error: InterleaveError
    ) -> Trajectory | None:
        COMMANDS_FAILED.labels(command.type, error.code).inc()
        _log.warning("command_failed", code=error.code, detail=error.detail)
        failed = CommandFailed(command_id=command.id, problem=error.problem())
        return self._committer.commit(state.id, failed)


def _pending(state: Trajectory | None, command_id: str) -> Command | None:
    if state is None:
        return None
    return next((c for c in state.pending if c.id == command_id), None)


def _poison(command_id: str, lease: Lease) -> Problem:
    begun = lease.execution - 1 + lease.deaths
    return Problem(
        code="poison_command",
        title="A command ended its worker every time",
        detail=f"{command_id} was begun {begun} times and never came to an end.",
        status=500,
    )
