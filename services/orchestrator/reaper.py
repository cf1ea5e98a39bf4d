"""Looks after what fell by the wayside, every few seconds; any number may run at once.

Sends again what nobody runs, works in mail and deadlines that no worker noticed, has due
webhooks delivered, and rebuilds the store from the journal when it lost its data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from services.orchestrator.committing import Committer
from services.orchestrator.measures import (
    COMMANDS_RESENT,
    DELIVERIES_TRIMMED,
    DUTIES_FAILED,
    STORE_REBUILT,
    SWEEPS,
)
from services.orchestrator.payloads import final_delivery
from services.orchestrator.ports import Clock, Dispatcher, EndpointReader
from shared.contracts.trajectories import Trajectory
from shared.contracts.webhooks import Delivery
from shared.errors import StoreError
from shared.stores.accounts import AccountRecords
from shared.stores.deliveries import DeliveryStore
from shared.stores.journal import Journal, rebuild
from shared.stores.leases import Leases
from shared.stores.trajectories import TrajectoryStore

_log = structlog.get_logger(__name__)
_DELIVERIES_PER_SWEEP = 500
_WEBHOOKS_KEPT = timedelta(days=4)
"""Longer than the whole schedule of tries."""
_TRIM_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class LogLimits:
    """How much of the log of webhook deliveries is kept."""

    days: float = 30.0
    most: int = 10_000
    """Per tenant."""


def _nothing() -> None:
    return None


class Reaper:
    """One ``sweep`` does everything once."""

    def __init__(
        self,
        store: TrajectoryStore,
        leases: Leases,
        *,
        deliveries: DeliveryStore,
        journal: Journal,
        accounts: AccountRecords,
        endpoints: EndpointReader,
        committer: Committer,
        dispatcher: Dispatcher,
        clock: Clock,
        resend_after_s: float,
        log_limits: LogLimits,
        overview: Callable[[], None] = _nothing,
    ) -> None:
        self._store = store
        self._leases = leases
        self._deliveries = deliveries
        self._journal = journal
        self._accounts = accounts
        self._endpoints = endpoints
        self._committer = committer
        self._dispatcher = dispatcher
        self._clock = clock
        self._resend_after_s = resend_after_s
        self._log_limits = log_limits
        self._overview = overview
        self._trimmed_at: datetime | None = None

    def sweep(self) -> None:
        """Every duty once; one that fails does not keep the others from being done."""
        for duty in (
            self.rebuild_if_lost,
            self.read_mail,
            self.pass_deadlines,
            self.admit,
            self.resend,
            self.deliver,
            self.trim_log,
            self.measure,
        ):
            self._try(duty)
        SWEEPS.inc()

    def rebuild_if_lost(self) -> None:
        """Restore every trajectory when the store does not remember being intact."""
        if self._store.intact():
            return
        # First whoever is to be told, then what there is to tell.
        self._accounts.restore_if_lost()
        restored = rebuild(self._journal, self._store, webhooks=self._due_still)
        STORE_REBUILT.inc(restored)
        _log.warning("store_rebuilt", trajectories=restored)

    def read_mail(self) -> None:
        """Work in what callers posted."""
        for trajectory_id in self._store.with_mail():
            self._committer.commit(trajectory_id)

    def pass_deadlines(self) -> None:
        """End what is out of time (a commit notices the deadline itself)."""
        for trajectory_id in self._store.due_deadlines(self._clock()):
            self._committer.commit(trajectory_id)

    def admit(self) -> None:
        """Let in who still waits though there is room: somebody died before doing so."""
        self._committer.admit()

    def resend(self) -> None:
        """Send pending commands again that nobody runs."""
        now = self._clock()
        rested = now - timedelta(seconds=self._resend_after_s)
        for trajectory_id in self._store.active(saved_before=rested):
            self._resend_of(trajectory_id, now)

    def deliver(self) -> None:
        """Have due webhooks delivered."""
        due = self._deliveries.due(self._clock(), limit=_DELIVERIES_PER_SWEEP)
        if due:
            self._dispatcher.send_deliveries(due)

    def trim_log(self) -> None:
        """Forget the oldest finished webhook deliveries, once a minute."""
        now = self._clock()
        if self._trimmed_at is not None and now < self._trimmed_at + _TRIM_EVERY:
            return
        self._trimmed_at = now
        older_than = now - timedelta(days=self._log_limits.days)
        DELIVERIES_TRIMMED.inc(
            self._deliveries.trim(older_than=older_than, most=self._log_limits.most)
        )

    def measure(self) -> None:
        """Say what waits, and for how long."""
        self._overview()

    def _resend_of(self, trajectory_id: str, now: datetime) -> None:
        state = self._store.load(trajectory_id)
        if state is None:
            return
        again = [
            command
            for command in state.pending
            if self._leases.may_resend(
                trajectory_id,
                command.id,
                now_s=now.timestamp(),
                pause_s=self._resend_after_s,
            )
        ]
        if again:
            COMMANDS_RESENT.inc(len(again))
            _log.info("commands_resent", trajectory_id=trajectory_id, commands=len(again))
            self._dispatcher.send_commands(trajectory_id, again)

    def _due_still(self, state: Trajectory) -> tuple[Delivery, ...]:
        old = state.updated_at < self._clock() - _WEBHOOKS_KEPT
        return () if old else final_delivery(state, self._endpoints.of(state.tenant))

    def _try(self, duty: Callable[[], None]) -> None:
        try:
            duty()
        except StoreError as error:
            DUTIES_FAILED.labels(duty.__name__).inc()
            _log.warning("duty_failed", duty=duty.__name__, code=error.code, detail=error.detail)
