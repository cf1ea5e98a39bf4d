"""A trajectory as the service tells it, turned into records with the pictures kept.

Not here: asking for trajectories (``collecting``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from services.trainer.benchmarks.replies import (
    AttemptReply,
    ImageReply,
    StepReply,
    TrajectoryReply,
)
from services.trainer.data.folder import DataFolder
from services.trainer.data.records import AttemptRecord, PromptRecord, StepRecord
from shared.contracts.plans import PlanStep


class Answering(Protocol):
    """The service as it is needed here; see ``InterleaveService``."""

    async def finished(self, body: Mapping[str, object], *, key: str) -> TrajectoryReply:
        """A trajectory in its final state."""
        ...

    async def picture(self, image: ImageReply) -> bytes:
        """A picture's file."""
        ...


def problem_of(reply: TrajectoryReply) -> str:
    """Why a trajectory did not end well, its code first; empty if it did."""
    if reply.problem is None:
        return ""
    return f"{reply.problem.code}: {reply.problem.detail}".rstrip(": ")


async def step_records(
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
