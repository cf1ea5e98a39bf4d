"""Trajectories through the running service: every attempt with its picture and verdict.

Many at a time; each is kept as soon as it has ended, so a stop loses only what is under way, and
that the service itself goes on with: the same command takes it up by its idempotency key. Not
here: who plans and judges (whatever the service was given).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import httpx

from services.trainer.benchmarks.asking import RunOptions, data_url
from services.trainer.benchmarks.replies import (
    AttemptReply,
    ImageReply,
    StepReply,
    TrajectoryReply,
)
from services.trainer.benchmarks.service import InterleaveService
from services.trainer.data.folder import DataFolder
from services.trainer.data.records import (
    AttemptRecord,
    PromptRecord,
    StepRecord,
    TrajectoryRecord,
)
from shared.contracts.plans import PlanStep
from shared.errors import BadReplyError, ServiceRejectedError, ServiceTimeoutError

_REQUEST_TIMEOUT_S = 120.0


class Answering(Protocol):
    """The service as it is needed here; see ``InterleaveService``."""

    async def finished(self, body: Mapping[str, object], *, key: str) -> TrajectoryReply:
        """A trajectory in its final state."""
        ...

    async def picture(self, image: ImageReply) -> bytes:
        """A picture's file."""
        ...


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


def trajectory_id(prompt: PromptRecord, generator: str) -> str:
    """The name of a prompt's trajectory with one generator."""
    return f"{prompt.id}-{generator}"


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
        ServiceUnavailableError: The service cannot be reached; what was done is kept.
        ResultsFolderError: Nothing can be written; what was done is kept.
    """
    kept = folder.newest()
    slots = asyncio.Semaphore(how.concurrency)

    async def one(prompt: PromptRecord) -> None:
        async with slots:
            record = await _record(prompt, folder, service, how)
            folder.trajectories.append(record)
            on_done(record)

    try:
        async with asyncio.TaskGroup() as group:
            for prompt in prompts:
                before = kept.get(trajectory_id(prompt, how.generator))
                if before is None or (how.retry_failed and not before.usable):
                    group.create_task(one(prompt))
    except BaseExceptionGroup as error:
        raise error.exceptions[0] from error


async def _record(
    prompt: PromptRecord, folder: DataFolder, service: Answering, how: Collecting
) -> TrajectoryRecord:
    name = trajectory_id(prompt, how.generator)
    try:
        reply = await service.finished(_body(prompt, folder, how), key=_key(folder, name, how))
        return TrajectoryRecord(
            id=name, prompt_id=prompt.id, generator=how.generator, status=reply.status,
            steps=await _steps(f"images/{name}", prompt, reply, folder, service),
            problem="" if reply.problem is None else reply.problem.code,
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
    text = f"{folder.root.resolve()}/{name}/{how.seed}/{how.retry_failed}"
    return hashlib.sha256(text.encode()).hexdigest()


async def _steps(
    place: str,
    prompt: PromptRecord,
    reply: TrajectoryReply,
    folder: DataFolder,
    service: Answering,
) -> tuple[StepRecord, ...]:
    """The steps of a finished trajectory; their pictures are written before they are told of."""
    steps: list[StepRecord] = []
    source = prompt.images[-1] if prompt.images else None
    for step in reply.steps:
        attempts = [
            await _attempt(f"{place}/{step.step_number}_{each.number}.png", each, folder, service)
            for each in step.attempts
            if not each.speculative or each.verdict is not None
        ]
        record = StepRecord(
            plan=_plan(step), source=source, chosen=step.chosen, attempts=tuple(attempts)
        )
        steps.append(record)
        source = record.file or source
    return tuple(steps)


async def _attempt(
    file: str, reply: AttemptReply, folder: DataFolder, service: Answering
) -> AttemptRecord:
    kept = None
    if reply.image is not None:
        kept = folder.keep(file, await service.picture(reply.image))
    said = reply.verdict
    return AttemptRecord(
        number=reply.number,
        prompt=reply.prompt,
        seed=reply.seed,
        file=kept,
        verdict=None if said is None else said.success,
        refine_prompt="" if said is None else said.refine_prompt,
        reasoning="" if said is None else said.reasoning,
    )


def _plan(step: StepReply) -> PlanStep:
    return PlanStep(
        step_number=step.step_number,
        step_name=step.step_name,
        instruction=step.instruction,
        prompt=step.prompt,
        auxiliary_text=step.auxiliary_text,
    )
