"""One thread per worker process that keeps leases alive and notices what must stop a call.

It renews the lease of every running command, stops those that are no longer wanted (cancel,
deadline, a refused candidate), and works in mail and deadlines itself, so that a cancel takes
effect although every worker thread is busy.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from services.orchestrator.measures import LEASES_LOST
from services.orchestrator.ports import Clock
from shared.contracts.trajectories import Trajectory
from shared.errors import StoreUnavailableError
from shared.stores.leases import Lease, Leases
from shared.stores.trajectories import Signal, TrajectoryStore

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Watch:
    """A running command under watch."""

    trajectory_id: str
    command_id: str
    token: str
    deadline_at: datetime | None
    renew_at_s: float
    stopped: threading.Event = field(default_factory=threading.Event)

    def cancelled(self) -> bool:
        """Whether the call must stop: nobody wants its result any more."""
        return self.stopped.is_set()


def unwatched(trajectory_id: str, command_id: str) -> Watch:
    """For a command that somebody else watches; it is never stopped here."""
    return Watch(trajectory_id, command_id, token="", deadline_at=None, renew_at_s=float("inf"))


class Heartbeat:
    """Watches every command that this process runs."""

    def __init__(
        self,
        store: TrajectoryStore,
        leases: Leases,
        *,
        look_again: Callable[[str], Trajectory | None],
        clock: Clock,
        ttl_s: float,
        poll_s: float = 0.3,
    ) -> None:
        self._store = store
        self._leases = leases
        self._look_again = look_again
        self._clock = clock
        self._ttl_s = ttl_s
        self._poll_s = poll_s
        self._watches: dict[int, Watch] = {}
        self._lock = threading.Lock()
        self._busy = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopping = False

    @contextmanager
    def watching(self, state: Trajectory, command_id: str, lease: Lease) -> Generator[Watch]:
        """Watch a command for the length of the block."""
        watch = Watch(
            trajectory_id=state.id,
            command_id=command_id,
            token=lease.token,
            deadline_at=state.deadline_at,
            renew_at_s=time.monotonic() + self._ttl_s / 3,
        )
        with self._lock:
            self._watches[id(watch)] = watch
            if self._stopping:
                watch.stopped.set()
            self._start()
        self._busy.set()
        try:
            yield watch
        finally:
            with self._lock:
                del self._watches[id(watch)]

    def stop_everything(self) -> None:
        """Stop all calls, now and later: the process ends, and others carry the commands on."""
        with self._lock:
            self._stopping = True
            for watch in self._watches.values():
                watch.stopped.set()

    def beat(self) -> None:
        """Look after every watched command once."""
        with self._lock:
            watches = list(self._watches.values())
            if not watches:
                self._busy.clear()
                return
        pairs = [(watch.trajectory_id, watch.command_id) for watch in watches]
        for watch, signal in zip(watches, self._store.signals(pairs), strict=True):
            self._look_after(watch, signal)

    def _look_after(self, watch: Watch, signal: Signal) -> None:
        late = watch.deadline_at is not None and self._clock() >= watch.deadline_at
        if signal.wanted and (signal.mail or late):
            state = self._look_again(watch.trajectory_id)
            wanted = state is not None and any(c.id == watch.command_id for c in state.pending)
            signal = Signal(wanted=wanted, mail=False)
        if not signal.wanted:
            watch.stopped.set()
        elif time.monotonic() >= watch.renew_at_s:
            self._renew(watch)

    def _renew(self, watch: Watch) -> None:
        kept = self._leases.renew(
            watch.trajectory_id, watch.command_id, token=watch.token, ttl_s=self._ttl_s
        )
        watch.renew_at_s = time.monotonic() + self._ttl_s / 3
        if not kept:
            # Somebody else runs it by now; two results are harmless, a second bill is not.
            LEASES_LOST.inc()
            _log.warning("lease_lost", trajectory_id=watch.trajectory_id)
            watch.stopped.set()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            self._busy.wait()
            time.sleep(self._poll_s)
            try:
                self.beat()
            except StoreUnavailableError:
                _log.warning("heartbeat_skipped")
            except Exception:  # noqa: BLE001 - it keeps every lease: it must outlive any defect
                _log.exception("heartbeat_failed")
