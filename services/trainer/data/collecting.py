"""Trajectories through the running service: every attempt with its picture and verdict.

Many at a time; each is kept as soon as it has ended, so a stop loses only what is under way, and
that the service itself goes on with: the same command takes it up by its idempotency key. Not
here: who plans and judges (whatever the service was given).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from services.trainer.benchmarks.asking import RunOptions, data_url
from services.trainer.benchmarks.service import InterleaveService
from services.trainer.data.folder import DataFolder
from services.trainer.data.records import PromptRecord, TrajectoryRecord, trajectory_name
from services.trainer.data.told import Answering, problem_of, step_records
from shared.errors import (
    BadReplyError,
    ServiceRejectedError,
    ServiceTimeoutError,
    ServiceUnavailableError,
)

_REQUEST_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Collecting:
    """How trajectories are asked for."""

    generator: str
    """The name in the records, and at the service if ``named``."""
    named: bool = True
    max_attempts: int = 5
    """Source: InterleaveThinker, T = 5."""
    concurrency: int = 4
    seed: int = 0
    retry_failed: bool = False


@asynccontextmanager
async def connected(url: str, key: str, *, timeout_s: float) -> AsyncGenerator[InterleaveService]:
    """The service at an address."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=_REQUEST_TIMEOUT_S, trust_env=False
    ) as http:
        yield InterleaveService(http, RunOptions(item_timeout_s=timeout_s))


def to_be_tried(record: TrajectoryRecord | None, *, retry_failed: bool) -> bool:
    """Whether a request is still to be run: never was, or a service failed it, or it is wanted."""
    if record is None or record.interrupted:
        return True
    return retry_failed and not record.usable


async def collect(
    prompts: Sequence[PromptRecord],
    folder: DataFolder,
    service: Answering,
    how: Collecting,
    *,
    on_done: Callable[[TrajectoryRecord], None],
) -> None:
    """Run every prompt that has no trajectory with this generator yet.

    Raises:
        ServiceUnavailableError: The service cannot be reached, or fails one request after the
            other; what was done is kept.
        ResultsFolderError: Nothing can be written; what was done is kept.
    """
    kept = folder.newest()
    tries = Counter(record.name for record in folder.trajectories)
    slots = asyncio.Semaphore(how.concurrency)
    outage = _Outage(limit=2 * how.concurrency)

    async def one(prompt: PromptRecord, name: str) -> None:
        async with slots:
            record = await _record(prompt, folder, service, how, name=_try(name, tries[name]))
            folder.trajectories.append(record)
            on_done(record)
            outage.heard(record)

    try:
        async with asyncio.TaskGroup() as group:
            for prompt in prompts:
                name = trajectory_name(prompt.id, how.generator)
                if to_be_tried(kept.get(name), retry_failed=how.retry_failed):
                    group.create_task(one(prompt, name))
    except BaseExceptionGroup as error:
        raise error.exceptions[0] from error


@dataclass(slots=True)
class _Outage:
    """Ends the job when a service fails one request after the other: the others would be lost."""

    limit: int
    in_a_row: int = 0

    def heard(self, record: TrajectoryRecord) -> None:
        self.in_a_row = self.in_a_row + 1 if record.interrupted else 0
        if self.in_a_row >= self.limit:
            raise ServiceUnavailableError(
                f"{self.in_a_row} requests in a row failed for want of a service "
                f"({record.problem}); when it is back, the same command runs them again"
            )


def _try(name: str, before: int) -> str:
    """The name of a try: pictures, marks and the service's memory of another are not its own."""
    return f"{name}-try{before + 1}" if before else name


async def _record(
    prompt: PromptRecord, folder: DataFolder, service: Answering, how: Collecting, *, name: str
) -> TrajectoryRecord:
    try:
        reply = await service.finished(_body(prompt, folder, how), key=_key(folder, name, how))
        return TrajectoryRecord(
            id=name, prompt_id=prompt.id, generator=how.generator, status=reply.status,
            steps=await step_records(f"images/{name}", prompt, reply, folder, service),
            problem=problem_of(reply),
        )  # fmt: skip
    except (ServiceRejectedError, ServiceTimeoutError, BadReplyError) as error:
        return TrajectoryRecord(
            id=name, prompt_id=prompt.id, generator=how.generator, status="not_produced",
            problem=f"{error.code}: {error.detail}",
        )  # fmt: skip


def _body(prompt: PromptRecord, folder: DataFolder, how: Collecting) -> dict[str, object]:
    digest = hashlib.sha256(f"{how.seed}:{prompt.id}:{how.generator}".encode()).digest()
    body: dict[str, object] = {
        "prompt": prompt.text,
        "images": [data_url(folder.path(file)) for file in prompt.images],
        "profile": "default",
        "max_attempts": how.max_attempts,
        "speculation": "off",
        "seed": int.from_bytes(digest[:4], "big"),
    }
    if prompt.steps is not None:
        body["steps"] = prompt.steps
    if how.named:
        body["generator"] = how.generator
    return body


def _key(folder: DataFolder, name: str, how: Collecting) -> str:
    text = f"{folder.root.resolve()}/{name}/{how.seed}"
    return hashlib.sha256(text.encode()).hexdigest()
