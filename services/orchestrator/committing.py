"""Commits: works happenings into the stored state, once, and sends what follows from them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.orchestrator.machine import advance
from services.orchestrator.measures import CALLS_WASTED
from services.orchestrator.patience import Patience, Tries
from services.orchestrator.payloads import deliveries_for
from services.orchestrator.ports import Clock, Dispatcher, EndpointReader, SnapshotWriter
from shared.contracts.events import (
    DeadlinePassed,
    Happening,
    PictureArrived,
    PlanArrived,
    PublicEvent,
    VerdictArrived,
)
from shared.contracts.trajectories import Command, Trajectory
from shared.contracts.webhooks import Delivery, WebhookEndpoint
from shared.errors import StoreUnavailableError, VersionConflictError
from shared.stores.trajectories import Mail, TrajectoryStore

_MAX_CONFLICTS = 100
_RESULTS: Mapping[type[object], str] = {
    PlanArrived: "plan",
    PictureArrived: "generate",
    VerdictArrived: "critique",
}
"""What a model service was asked for, by what it gave."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    state: Trajectory
    commands: tuple[Command, ...]
    events: tuple[PublicEvent, ...]
    wasted: tuple[str, ...] = ()
    """Kinds of the calls whose results changed nothing."""


class Committer:
    """The only writer of trajectories after their creation."""

    def __init__(
        self,
        store: TrajectoryStore,
        dispatcher: Dispatcher,
        *,
        snapshots: SnapshotWriter,
        clock: Clock,
        endpoints: EndpointReader | None = None,
        max_in_flight: int = 64,
        patience: Patience | None = None,
    ) -> None:
        self._store = store
        self._endpoints = endpoints
        self._max_in_flight = max_in_flight
        self._dispatcher = dispatcher
        self._snapshots = snapshots
        self._clock = clock
        self._patience = patience or Patience(window_s=60.0, longest_pause_s=2.0)

    def commit(
        self, trajectory_id: str, *happenings: Happening, basis: Trajectory | None = None
    ) -> Trajectory | None:
        """Work in what callers posted, then ``happenings``; None if there is no such record.

        A store that is away is waited for: what a model service made must not be lost because
        Redis restarts.

        Args:
            trajectory_id: which.
            *happenings: in order.
            basis: the version known to the caller, to spare reading it again.

        Raises:
            StoreUnavailableError: if it stays away; the command will be sent again later.
        """
        tries = Tries(self._patience)
        known = None if basis is None else Mail(basis, ())
        while True:
            try:
                return self._commit(trajectory_id, happenings, known)
            except StoreUnavailableError as error:
                known = None
                pause_s = tries.pause_after(error)
                if pause_s is None:
                    raise
                time.sleep(pause_s)

    def admit(self) -> int:
        """Let waiting trajectories in while there is room; gives how many."""
        ids = self._store.admit(now=self._clock(), most_in_flight=self._max_in_flight)
        for trajectory_id in ids:
            admitted = self._store.load(trajectory_id)
            if admitted is not None:
                self._dispatcher.send_commands(trajectory_id, admitted.pending)
        return len(ids)

    def _commit(
        self, trajectory_id: str, happenings: Sequence[Happening], known: Mail | None
    ) -> Trajectory | None:
        for _ in range(_MAX_CONFLICTS):
            mail = known or self._store.load_mail(trajectory_id)
            if mail is None:
                return None
            outcome = self._work_in(mail, happenings)
            unchanged = outcome.state is mail.trajectory and not mail.inbox
            if unchanged and known is None:
                _note_waste(mail.trajectory, outcome)
                return mail.trajectory
            known = None
            if unchanged:
                continue  # what the caller knew may be too old to tell
            try:
                return self._save(mail, outcome)
            except VersionConflictError:
                continue
        message = f"{trajectory_id} changed {_MAX_CONFLICTS} times while it was saved"
        raise StoreUnavailableError(message)

    def _work_in(self, mail: Mail, happenings: Sequence[Happening]) -> _Outcome:
        now = self._clock()
        state = mail.trajectory
        commands: list[Command] = []
        events: list[PublicEvent] = []
        wasted: list[str] = []
        for happening in (*mail.inbox, *happenings, DeadlinePassed()):
            step = advance(state, happening, now=now)
            if step.state is state and (kind := _RESULTS.get(type(happening))):
                wasted.append(kind)
            state = step.state
            commands += step.commands
            events += step.events
        wanted = {command.id for command in state.pending}
        left = tuple(c for c in commands if c.id in wanted)
        return _Outcome(state, left, tuple(events), tuple(wasted))

    def _save(self, mail: Mail, outcome: _Outcome) -> Trajectory:
        deliveries = deliveries_for(
            outcome.state, outcome.events, self._endpoints_of(outcome) if outcome.events else ()
        )
        saved = self._store.save(
            outcome.state,
            expected_version=mail.trajectory.version,
            events=outcome.events,
            webhooks=deliveries,
            acknowledged=len(mail.inbox),
        )
        _note_waste(mail.trajectory, outcome)
        self._send(saved, outcome.commands, deliveries)
        if saved.ticket is not None and mail.trajectory.pending and not saved.pending:
            self.admit()
        if _milestones(saved) != _milestones(mail.trajectory):
            self._snapshots.keep(saved.id)
        return saved

    def _endpoints_of(self, outcome: _Outcome) -> Sequence[WebhookEndpoint]:
        return () if self._endpoints is None else self._endpoints.of(outcome.state.tenant)

    def _send(
        self, saved: Trajectory, commands: Sequence[Command], deliveries: Sequence[Delivery]
    ) -> None:
        if commands:
            self._dispatcher.send_commands(saved.id, commands)
        if deliveries:
            self._dispatcher.send_deliveries([delivery.id for delivery in deliveries])


def _note_waste(before: Trajectory, outcome: _Outcome) -> None:
    """Count calls that came to nothing; called once for what is really saved."""
    for kind in outcome.wasted:
        CALLS_WASTED.labels(kind, "late").inc()
    discarded = outcome.state.usage.discarded_calls - before.usage.discarded_calls
    CALLS_WASTED.labels("generate", "discarded").inc(discarded)


def _milestones(state: Trajectory) -> tuple[object, ...]:
    """What the journal must know: a change of this is written there."""
    steps = tuple((step.status.done, step.first_attempt) for step in state.steps)
    finals = state.status if state.status.final else None
    return state.plan_complete, state.plan_revision, finals, steps if any(steps) else ()
