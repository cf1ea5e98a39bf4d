"""The queue between gateway, workers and reaper: Celery on Redis, as a hint only.

A message says which command of which trajectory to look at. Losing or doubling one is harmless:
the state store knows what is pending, and the reaper sends again what nobody runs.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from celery import Celery

from shared.contracts.trajectories import (
    Command,
    CritiqueCommand,
    GenerateCommand,
    PlanCommand,
)

RUN_COMMAND: Final = "interleave.run_command"
DRAIN_INBOX: Final = "interleave.drain_inbox"
DELIVER: Final = "interleave.deliver"

VISIBILITY_TIMEOUT_S: Final = 3600
"""Longer than any command: a late second delivery would only find nothing to do."""


class Queue(StrEnum):
    """One queue per kind of work, so that each can be scaled and measured alone."""

    CONTROL = "control"
    PLAN = "plan"
    CRITIQUE = "critique"
    GENERATE = "generate"
    DELIVER = "deliver"
    SPECULATE = "speculate"


def make_celery(broker_url: str) -> Celery:
    """A Celery app that sends and receives our messages; no task is registered yet."""
    app = Celery("interleave", broker=broker_url, set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=False,
        task_default_queue=Queue.CONTROL.value,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_TIMEOUT_S,
            "unacked_restore_throttle": 1,
            "socket_keepalive": True,
        },
    )
    return app


def send_command(app: Celery, trajectory_id: str, command: Command) -> None:
    """Ask a worker to carry out one command.

    Raises:
        kombu.exceptions.OperationalError: if the broker cannot be reached.
    """
    _send(app, RUN_COMMAND, queue_of(command), trajectory_id, command.id)


def send_wakeup(app: Celery, trajectory_id: str) -> None:
    """Ask a worker to look into a trajectory's inbox; raises as ``send_command`` does."""
    _send(app, DRAIN_INBOX, Queue.CONTROL, trajectory_id)


def send_delivery(app: Celery, delivery_id: str) -> None:
    """Ask a worker to try a webhook delivery; raises as ``send_command`` does."""
    _send(app, DELIVER, Queue.DELIVER, delivery_id)


def queue_of(command: Command) -> Queue:
    """The queue a command waits in."""
    match command:
        case PlanCommand():
            return Queue.PLAN
        case CritiqueCommand():
            return Queue.CRITIQUE
        case GenerateCommand(speculative=True):
            return Queue.SPECULATE
        case GenerateCommand():
            return Queue.GENERATE


def _send(app: Celery, task: str, queue: Queue, *arguments: str) -> None:
    # One quick try: whoever waits for the answer must not wait for the broker too.
    app.send_task(task, args=arguments, queue=queue.value, ignore_result=True, retry=False)
