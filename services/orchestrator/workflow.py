"""Carries out one command: lease, call, retries, commit. Knows neither Celery nor HTTP."""

from __future__ import annotations

import structlog

from services.orchestrator.carrying_out import carry_out
from services.orchestrator.committing import Committer
from services.orchestrator.heartbeat import Heartbeat, Watch
from services.orchestrator.patience import Patience, Tries
from services.orchestrator.ports import Engines
from shared.contracts.events import CommandFailed
from shared.contracts.problems import Problem
from shared.contracts.trajectories import Command, Trajectory
from shared.errors import InterleaveError
from shared.stores.leases import Leases
from shared.stores.trajectories import TrajectoryStore

_log = structlog.get_logger(__name__)


class Workflow:
    """What a worker does with the messages it gets."""

    def __init__(
        self,
        store: TrajectoryStore,
        leases: Leases,
        *,
        committer: Committer,
        heartbeat: Heartbeat,
        engines: Engines,
        patience: Patience,
        lease_s: float,
        max_executions: int,
    ) -> None:
        self._store = store
        self._leases = leases
        self._committer = committer
        self._heartbeat = heartbeat
        self._engines = engines
        self._patience = patience
        self._lease_s = lease_s
        self._max_executions = max_executions

    def run_command(self, trajectory_id: str, command_id: str) -> None:
        """Carry out a command unless somebody else does or it is no longer pending."""
        lease = self._leases.acquire(trajectory_id, command_id, ttl_s=self._lease_s)
        if lease is None:
            return
        try:
            state = self._store.load(trajectory_id)
            command = _pending(state, command_id)
            if state is None or command is None:
                return
            if lease.execution > self._max_executions:
                problem = _poison(command_id, lease.execution - 1)
                self._committer.commit(
                    trajectory_id, CommandFailed(command_id=command_id, problem=problem)
                )
                return
            with self._heartbeat.watching(state, command_id, lease) as watch:
                self._carry_out(state, command, watch)
        finally:
            self._leases.release(trajectory_id, command_id, token=lease.token)

    def drain_inbox(self, trajectory_id: str) -> None:
        """Work in what callers posted."""
        self._committer.commit(trajectory_id)

    def _carry_out(self, state: Trajectory, command: Command, watch: Watch) -> None:
        tries = Tries(self._patience)
        while not watch.cancelled():
            try:
                for happening in carry_out(state, command, self._engines, watch.cancelled):
                    self._committer.commit(state.id, happening)
            except InterleaveError as error:
                if not self._goes_on(state, command, watch, error=error, tries=tries):
                    return
            else:
                return

    def _goes_on(
        self,
        state: Trajectory,
        command: Command,
        watch: Watch,
        *,
        error: InterleaveError,
        tries: Tries,
    ) -> bool:
        """Wait before another try, or say that the command failed; True to try again."""
        if watch.cancelled():
            return False
        pause_s = tries.pause_after(error)
        if pause_s is None:
            _log.warning(
                "command_failed", trajectory_id=state.id, command=command.id, code=error.code
            )
            failed = CommandFailed(command_id=command.id, problem=error.problem())
            self._committer.commit(state.id, failed)
            return False
        _log.info("call_retried", trajectory_id=state.id, command=command.id, code=error.code)
        return not watch.stopped.wait(pause_s)


def _pending(state: Trajectory | None, command_id: str) -> Command | None:
    if state is None:
        return None
    return next((c for c in state.pending if c.id == command_id), None)


def _poison(command_id: str, executions: int) -> Problem:
    return Problem(
        code="poison_command",
        title="A command ended its worker every time",
        detail=f"{command_id} was begun {executions} times and never came to an end.",
        status=500,
    )
