"""The Celery tasks: a message in, one use-case called, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from structlog.contextvars import bound_contextvars

from shared.queue import DELIVER, DRAIN_INBOX, RUN_COMMAND

if TYPE_CHECKING:
    from celery import Celery

    from services.orchestrator.webhooks import Deliverer
    from services.orchestrator.workflow import Workflow


def register(app: Celery, workflow: Workflow, deliverer: Deliverer) -> None:
    """Let workers of this app understand our messages."""

    @app.task(name=RUN_COMMAND)
    def run_command(trajectory_id: str, command_id: str) -> None:
        with bound_contextvars(trajectory_id=trajectory_id, command=command_id):
            workflow.run_command(trajectory_id, command_id)

    @app.task(name=DRAIN_INBOX)
    def drain_inbox(trajectory_id: str) -> None:
        with bound_contextvars(trajectory_id=trajectory_id):
            workflow.drain_inbox(trajectory_id)

    @app.task(name=DELIVER)
    def deliver(delivery_id: str) -> None:
        deliverer.deliver(delivery_id)

    del run_command, drain_inbox, deliver  # Celery keeps them
