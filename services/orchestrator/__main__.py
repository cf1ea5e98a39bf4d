"""``python -m services.orchestrator worker|reaper|cell|diagram``; cells are started by workers."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from types import FrameType

import structlog
from celery.signals import worker_shutting_down
from prometheus_client import start_http_server

from services.orchestrator.celery_app import Parts
from services.orchestrator.machine.statuses import diagram_page
from services.orchestrator.settings import OrchestratorSettings
from services.orchestrator.solitary import Requests, claim_output, serve
from services.orchestrator.tasks import register
from shared.errors import StoreUnavailableError
from shared.telemetry.logging import configure_logging

_log = structlog.get_logger(__name__)
_LAST_SNAPSHOTS_S = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m services.orchestrator", description=__doc__)
    parser.add_argument("role", choices=["worker", "reaper", "cell", "diagram"])
    role = parser.parse_args(arguments).role
    if role == "diagram":
        sys.stdout.write(diagram_page())
        return 0
    settings = OrchestratorSettings()
    configure_logging(
        level=settings.log_level, output=settings.log_format, service=f"orchestrator-{role}"
    )
    if role == "cell":
        run_cell(settings)
        return 0
    parts = Parts(settings)
    if settings.metrics_port is not None:
        start_http_server(settings.metrics_port, addr=settings.metrics_host)
    if role == "worker":
        run_worker(parts)
    else:
        run_reaper(parts)
    return 0


def run_worker(parts: Parts) -> None:
    """A Celery worker with threads: commands only wait for answers over HTTP."""
    settings = parts.settings
    register(parts.celery, parts.workflow, parts.deliverer, lanes=parts.lanes)
    # Two lines for every message, naming only Celery's own ids, would bury everything else.
    for noisy in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(noisy).setLevel(logging.WARNING)

    def end_calls(**_: object) -> None:
        parts.lanes.close()
        timer = threading.Timer(settings.stop_grace_s, parts.heartbeat.stop_everything)
        timer.daemon = True
        timer.start()

    worker_shutting_down.connect(end_calls, weak=False)
    worker = parts.celery.Worker(
        pool="threads",
        concurrency=settings.threads,
        queues=[queue.value for queue in settings.queues],
        loglevel=settings.log_level,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    parts.cells.close()
    parts.snapshots.flush(_LAST_SNAPSHOTS_S)


def run_cell(settings: OrchestratorSettings) -> None:
    """Carry out single commands for a worker that suspects them; it ends with the worker."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)

    def carry_out(trajectory_id: str, command_id: str) -> bool:
        parts = Parts(settings)  # in the fork: no connection is shared with others
        try:
            return parts.workflow.carry_out_alone(trajectory_id, command_id)
        except StoreUnavailableError:
            return False
        finally:
            parts.snapshots.flush(_LAST_SNAPSHOTS_S)

    serve(Requests(sys.stdin.fileno()), claim_output(), carry_out)


def run_reaper(parts: Parts) -> None:
    """Sweep every few seconds until SIGTERM or SIGINT."""
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    while not stop.is_set():
        try:
            parts.reaper.sweep()
        except Exception:  # noqa: BLE001 - the last resort must not be ended by any defect
            _log.exception("sweep_failed")
        stop.wait(parts.settings.reap_interval_s)
    parts.snapshots.flush(_LAST_SNAPSHOTS_S)


if __name__ == "__main__":
    raise SystemExit(main())
