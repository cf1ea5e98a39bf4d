"""Runs orders against a service: submit, follow, write out. Several run at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from services.launcher.api import ApiClient, Order
from services.launcher.connection import Connection
from services.launcher.display import Board
from services.launcher.follow import follow
from services.launcher.views import TrajectoryView
from services.launcher.write_out import write_out

GOOD_STATUSES = ("succeeded", "partially_succeeded")


@dataclass(frozen=True, slots=True)
class Job:
    """An order with its name on the board and the folder of its result."""

    name: str
    order: Order
    folder: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job."""

    job: Job
    trajectory: TrajectoryView

    @property
    def good(self) -> bool:
        """Whether something was delivered."""
        return self.trajectory.status in GOOD_STATUSES


def run_jobs(jobs: Sequence[Job], connection: Connection, *, board: Board) -> list[Outcome]:
    """Run all jobs at the same time; the first error that comes up is raised.

    Raises:
        RefusedError: The service refused one of the requests.
        UnreachableError: The service went away and did not come back.
    """
    for job in jobs:
        board.add(job.name)
    with (
        ApiClient(connection.url, connection.key) as api,
        board.shown(),
        ThreadPoolExecutor(len(jobs)) as pool,
    ):
        api.greet()
        return list(pool.map(lambda job: _run(job, api, board=board), jobs))


def _run(job: Job, api: ApiClient, *, board: Board) -> Outcome:
    created = api.create(job.order)
    for event in follow(api, created.id):
        board.take(job.name, event)
    write_out(api, created.id, folder=job.folder)
    return Outcome(job, api.trajectory(created.id))
