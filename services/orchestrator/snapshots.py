"""Writes journal snapshots beside the work, so that no trajectory waits for the bucket."""

from __future__ import annotations

import threading
import time

import structlog

from services.orchestrator.measures import SNAPSHOTS_FAILED, SNAPSHOTS_WAITING
from shared.errors import StoreError
from shared.stores.journal import Journal
from shared.stores.trajectories import TrajectoryStore

_log = structlog.get_logger(__name__)
_PAUSE_AFTER_FAILURE_S = 2.0


class BackgroundSnapshots:
    """Writes the newest version of each waiting trajectory, one after the other.

    The version is read when it is written: several processes may do so at the same time, and
    an old snapshot should not come last.
    """

    def __init__(self, journal: Journal, store: TrajectoryStore) -> None:
        self._journal = journal
        self._store = store
        self._waiting: dict[str, None] = {}
        self._changed = threading.Condition()
        self._writing = False
        self._thread: threading.Thread | None = None

    def keep(self, trajectory_id: str) -> None:
        """Write this trajectory's newest version soon."""
        with self._changed:
            self._waiting[trajectory_id] = None
            SNAPSHOTS_WAITING.set(len(self._waiting))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything is written; False if it took longer."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._waiting and not self._writing, timeout_s
            )

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                trajectory_id = next(iter(self._waiting))
                del self._waiting[trajectory_id]
                self._writing = True
            written = self._try_to_write(trajectory_id)
            with self._changed:
                self._writing = False
                if not written:
                    self._waiting[trajectory_id] = None
                SNAPSHOTS_WAITING.set(len(self._waiting))
                self._changed.notify_all()
            if not written:
                time.sleep(_PAUSE_AFTER_FAILURE_S)

    def _try_to_write(self, trajectory_id: str) -> bool:
        try:
            self._write(trajectory_id)
        except StoreError:
            SNAPSHOTS_FAILED.inc()
            _log.warning("snapshot_delayed", trajectory_id=trajectory_id)
            return False
        except Exception:  # noqa: BLE001 - the thread must go on for the other trajectories
            _log.exception("snapshot_lost", trajectory_id=trajectory_id)
        return True

    def _write(self, trajectory_id: str) -> None:
        trajectory = self._store.load(trajectory_id)
        if trajectory is None:
            return
        self._journal.write(trajectory)
        if self._store.load(trajectory_id) is None and self._store.intact():
            # Deleted while it was written: it must not rise again.
            self._journal.delete(trajectory_id)


class NoSnapshots:
    """Keeps nothing: for runs inside one process."""

    def keep(self, trajectory_id: str) -> None:
        """Forget it."""
