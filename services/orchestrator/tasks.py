"""The Celery tasks: a message in, one use-case called in its lane, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from structlog.contextvars import bound_contextvars

from shared.queue import DELIVER, DRAIN_INBOX, RUN_COMMAND, Queue

if TYPE_CHECKING:
    from celery import Celery, Task

    from services.orchestrator.lanes import Lanes
    from services.orchestrator.webhooks import Deliverer
    from services.orchestrator.workflow import Workflow


def register(app: Celery, workflow: Workflow, deliverer: Deliverer, *, lanes: Lanes) -> None:
    """Let workers of this app understand our messages."""

    @app.task(name=RUN_COMMAND, bind=True)
    def run_command(self: Task, trajectory_id: str, command_id: str) -> None:
        def job() -> None:
            with bound_contextvars(trajectory_id=trajectory_id, command=command_id):
                workflow.run_command(trajectory_id, command_id)

        lanes.run(_queue_of(self), f"{trajectory_id} {command_id}", job=job)

    @app.task(name=DRAIN_INBOX)
    def drain_inbox(trajectory_id: str) -> None:
        def job() -> None:
            with bound_contextvars(trajectory_id=trajectory_id):
                workflow.drain_inbox(trajectory_id)

        lanes.run(Queue.CONTROL, trajectory_id, job=job)

    @app.task(name=DELIVER)
    def deliver(delivery_id: str) -> None:
        lanes.run(Queue.DELIVER, delivery_id, job=lambda: deliverer.deliver(delivery_id))

    del run_command, drain_inbox, deliver  # Celery keeps them


def _queue_of(task: Task) -> str:
    """The queue that the message came from."""
    return str((task.request.delivery_info or {}).get("routing_key", ""))
