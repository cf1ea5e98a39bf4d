"""Wakes workers through Celery; a queue that is down only costs time, never work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from kombu.exceptions import OperationalError

from shared.contracts.trajectories import Command
from shared.queue import send_command, send_wakeup

if TYPE_CHECKING:
    from celery import Celery

_log = structlog.get_logger(__name__)


class CeleryDispatcher:
    """A ``Dispatcher``: what cannot be sent is left to the reaper."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def send_command(self, trajectory_id: str, command: Command) -> None:
        """See ``Dispatcher.send_command``."""
        try:
            send_command(self._app, trajectory_id, command)
        except (OperationalError, OSError):
            _log.warning("command_not_sent", trajectory_id=trajectory_id)

    def send_wakeup(self, trajectory_id: str) -> None:
        """See ``Dispatcher.send_wakeup``."""
        try:
            send_wakeup(self._app, trajectory_id)
        except (OperationalError, OSError):
            _log.warning("wakeup_not_sent", trajectory_id=trajectory_id)
