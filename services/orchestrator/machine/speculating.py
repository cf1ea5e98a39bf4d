"""Drawing ahead: the next step from a candidate that the critic is still judging.

The picture counts only if the step would have been drawn exactly so: same prompt, seed and
sources. The result is therefore the same with and without. A call drawn ahead is counted when
it is adopted (``generator_calls``) or dropped (``discarded_calls``), and is made only when the
budget covers the whole rest of the trajectory besides.
"""

from __future__ import annotations

from services.orchestrator.machine import ending
from services.orchestrator.machine.draft import Draft
from services.orchestrator.machine.drawing import (
    announce_picture,
    calls_left,
    current_round,
    next_attempt,
    sources,
)
from shared.contracts.profiles import Speculation
from shared.contracts.trajectories import (
    Attempt,
    Command,
    GenerateCommand,
    Status,
    StepStatus,
    Trajectory,
)


def begin(draft: Draft) -> None:
    """Start drawing ahead if a candidate is being judged and nothing speaks against it."""
    place = _place(draft.state)
    if place is None:
        return
    judged, index = place
    candidate = current_round(draft.state.steps[judged])[-1]
    step = draft.state.steps[index]
    wanted = next_attempt(draft.state, index, step.plan.prompt or "")
    wanted = wanted.model_copy(
        update={
            "speculative": True,
            "sources": sources(draft.state, index, candidate=candidate.image),
        }
    )
    draft.add_attempt(index, wanted)
    name = f"generate-{index}-{wanted.number}-after-{judged}-{candidate.number}"
    draft.order(
        GenerateCommand(
            id=name,
            step=index,
            attempt=wanted.number,
            speculative=True,
            after=candidate.number,
        )
    )


def adopt(draft: Draft, index: int) -> bool:
    """Take over what was drawn ahead for this step, if it is what is wanted now."""
    ahead = _drawn_ahead(draft.state, index)
    if ahead is None:
        return False
    if ahead.problem is not None or not _is_wanted(draft.state, index, ahead):
        ending.forget_speculation(draft, index)
        return False
    draft.change_attempt(index, ahead.number, speculative=False)
    draft.count(generator_calls=1)
    draft.change(pending=tuple(_promoted(c, index) for c in draft.state.pending))
    announce_picture(draft, index, ahead.number)
    return True


def drop_useless(draft: Draft, judged: int) -> None:
    """The candidate of step ``judged`` was refused: forget what was drawn from it."""
    for index in range(judged + 1, len(draft.state.steps)):
        ending.forget_speculation(draft, index)


def _place(state: Trajectory) -> tuple[int, int] | None:
    """The step being judged and the step to draw ahead, if there is such a pair."""
    if state.status is not Status.RUNNING:
        return None
    if state.request.settings.speculation is Speculation.OFF:
        return None
    judged = next((i for i, s in enumerate(state.steps) if not s.status.done), None)
    if judged is None or state.steps[judged].status is not StepStatus.JUDGING:
        return None
    later = range(judged + 1, len(state.steps))
    index = next((i for i in later if state.steps[i].plan.draws), None)
    if index is None or _drawn_ahead(state, index) is not None:
        return None
    return (judged, index) if calls_left(state) > _worst_case(state, judged) else None


def _worst_case(state: Trajectory, judged: int) -> int:
    """Most generator calls the rest may need without drawing ahead."""
    request = state.request
    count = len(state.steps) if state.plan_complete else request.max_steps
    used = len(current_round(state.steps[judged]))
    return (count - judged) * request.settings.max_attempts - used


def _drawn_ahead(state: Trajectory, index: int) -> Attempt | None:
    attempts = state.steps[index].attempts
    return attempts[-1] if attempts and attempts[-1].speculative else None


def _is_wanted(state: Trajectory, index: int, ahead: Attempt) -> bool:
    step = state.steps[index]
    return ahead.prompt == step.plan.prompt and ahead.sources == sources(state, index)


def _promoted(command: Command, index: int) -> Command:
    if isinstance(command, GenerateCommand) and command.step == index:
        return command.model_copy(update={"speculative": False})
    return command
