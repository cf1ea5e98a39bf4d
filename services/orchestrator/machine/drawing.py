"""Attempts: their seeds, sources and commands, and the pictures that come back."""

from __future__ import annotations

import hashlib

from services.orchestrator.machine import ending
from services.orchestrator.machine.draft import Draft
from services.orchestrator.machine.problems import BUDGET
from shared.contracts.events import CommandFailed, PictureArrived
from shared.contracts.images import ImageRef
from shared.contracts.profiles import References, SeedRule
from shared.contracts.trajectories import (
    Attempt,
    GenerateCommand,
    StepState,
    StepStatus,
    Trajectory,
    TrajectoryRequest,
)
from shared.errors import PictureRefusedError

_FIRST_AND_LAST = 2


def attempt_seed(request: TrajectoryRequest, index: int, number: int) -> int:
    """The seed of attempt ``number`` of step ``index``: below 2**53, exact in every JSON reader.

    Source of ``PAPER``: InterleaveThinker's demo, 1000 x step index on every retry.
    """
    if request.settings.seed_rule is SeedRule.PAPER:
        return 1000 * index
    text = f"{request.seed}:{index}:{number}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8]) >> 11


def sources(
    state: Trajectory, index: int, *, candidate: ImageRef | None = None
) -> tuple[ImageRef, ...]:
    """What step ``index`` starts from: given images, then accepted ones, by the rule asked for.

    ``candidate`` stands for the picture of the step that is still being judged.
    """
    accepted = [step.image for step in state.steps[:index]]
    chain = [*state.request.images, *accepted, candidate]
    images = tuple(image for image in chain if image is not None)
    match state.request.settings.references:
        case References.ALL:
            return images
        case References.FIRST_AND_LAST if len(images) > _FIRST_AND_LAST:
            return (images[0], images[-1])
        case References.FIRST_AND_LAST:
            return images
        case References.LAST:
            return images[-1:]


def current_round(step: StepState) -> tuple[Attempt, ...]:
    """The attempts since the step was last (re-)opened, without those drawn ahead."""
    return tuple(
        attempt
        for attempt in step.attempts
        if attempt.number >= step.first_attempt and not attempt.speculative
    )


def calls_left(state: Trajectory) -> int:
    """How many more generator calls the budget allows."""
    usage = state.usage
    return state.request.max_generator_calls - usage.generator_calls - usage.discarded_calls


def next_attempt(state: Trajectory, index: int, prompt: str, *, seed: int | None = None) -> Attempt:
    """The step's next attempt: same sources as every attempt of the round, its own seed."""
    step = state.steps[index]
    number = len(step.attempts) + 1
    return Attempt(
        number=number,
        prompt=prompt,
        seed=attempt_seed(state.request, index, number) if seed is None else seed,
        sources=sources(state, index),
    )


def draw(draft: Draft, index: int, prompt: str, *, seed: int | None = None) -> None:
    """Start another attempt, or end the trajectory if the budget is used up."""
    if calls_left(draft.state) < 1:
        ending.end_early(draft, BUDGET)
        return
    attempt = next_attempt(draft.state, index, prompt, seed=seed)
    draft.change_step(index, status=StepStatus.DRAWING)
    draft.add_attempt(index, attempt)
    draft.count(generator_calls=1)
    draft.order(
        GenerateCommand(id=f"generate-{index}-{attempt.number}", step=index, attempt=attempt.number)
    )


def record_picture(draft: Draft, command: GenerateCommand, happening: PictureArrived) -> None:
    """Note the picture of an attempt; one drawn ahead stays unannounced until it is adopted."""
    picture = happening.picture
    draft.change_attempt(
        command.step,
        command.attempt,
        image=picture.image,
        model=picture.model,
        model_version=picture.model_version,
    )
    if not command.speculative:
        announce_picture(draft, command.step, command.attempt)


def announce_picture(draft: Draft, index: int, number: int) -> None:
    """Publish that an attempt has its picture."""
    step = draft.state.steps[index]
    attempt = step.attempts[number - 1]
    if attempt.image is not None:
        draft.emit("attempt.drawn", step, attempt=number, image_sha256=attempt.image.sha256)


def record_failure(draft: Draft, command: GenerateCommand, happening: CommandFailed) -> None:
    """Note why no picture came; anything but a refusal to draw this ends the trajectory."""
    problem = happening.problem
    draft.change_attempt(command.step, command.attempt, problem=problem)
    if command.speculative:
        return
    step = draft.state.steps[command.step]
    draft.emit("attempt.failed", step, attempt=command.attempt, problem=problem)
    if problem.code != PictureRefusedError.code:
        ending.end_early(draft, problem)
