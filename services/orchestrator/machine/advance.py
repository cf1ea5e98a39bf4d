"""The one door into the machine: from a state and a happening to the next state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.orchestrator.machine import drawing, ending, judging, planning
from services.orchestrator.machine.draft import Draft
from services.orchestrator.machine.progress import progress
from services.orchestrator.machine.retrying import retry_step
from shared.contracts.events import (
    CancelRequested,
    CommandFailed,
    DeadlinePassed,
    Happening,
    PictureArrived,
    PlanApproved,
    PlanArrived,
    PlanEdited,
    PlanStarted,
    PlanStepArrived,
    PublicEvent,
    StepRetryRequested,
    VerdictArrived,
)
from shared.contracts.trajectories import (
    Command,
    CritiqueCommand,
    GenerateCommand,
    PlanCommand,
    Status,
    Trajectory,
)


@dataclass(frozen=True, slots=True)
class Step:
    """What one happening leads to."""

    state: Trajectory
    commands: tuple[Command, ...]
    """Newly pending: to be sent once the state is saved."""
    events: tuple[PublicEvent, ...]


def advance(state: Trajectory, happening: Happening, *, now: datetime) -> Step:
    """Work a happening in; a late, doubled or unfitting one gives back the same state."""
    draft = Draft(state, now)
    if not state.status.final or isinstance(happening, StepRetryRequested):
        _record(draft, happening)
    if draft.state is state:
        return Step(state, (), ())
    progress(draft)
    draft.change(updated_at=now)
    return Step(draft.state, tuple(draft.commands), tuple(draft.events))


def _record(draft: Draft, happening: Happening) -> None:
    match happening:
        case CancelRequested():
            ending.finish(draft, Status.CANCELLED)
        case DeadlinePassed():
            ending.pass_deadline(draft)
        case PlanEdited():
            planning.record_edit(draft, happening)
        case PlanApproved():
            planning.record_approval(draft, happening)
        case StepRetryRequested():
            retry_step(draft, happening)
        case _:
            _record_answer(draft, happening)


Answer = (
    PlanStarted | PlanStepArrived | PlanArrived | PictureArrived | VerdictArrived | CommandFailed
)


def _record_answer(draft: Draft, answer: Answer) -> None:
    """Note what a command brought, if that command is still wanted."""
    pending = draft.state.pending
    command = next((c for c in pending if c.id == answer.command_id), None)
    match command, answer:
        case PlanCommand(), PlanStarted():
            planning.record_start(draft, answer)
        case PlanCommand(), PlanStepArrived():
            planning.record_step(draft, answer)
        case PlanCommand(), PlanArrived() | CommandFailed():
            _settle(draft, command)
            _record_plan_end(draft, answer)
        case GenerateCommand(), PictureArrived() | CommandFailed():
            _settle(draft, command)
            _record_draw_end(draft, command, answer)
        case CritiqueCommand(), VerdictArrived():
            _settle(draft, command)
            judging.record_verdict(draft, command, answer)
        case CritiqueCommand(), CommandFailed():
            _settle(draft, command)
            judging.record_failure(draft, command, answer)
        case _:
            return


def _settle(draft: Draft, command: Command) -> None:
    draft.drop(lambda pending: pending.id == command.id)


def _record_plan_end(draft: Draft, answer: PlanArrived | CommandFailed) -> None:
    if isinstance(answer, PlanArrived):
        planning.record_plan(draft, answer)
    else:
        planning.record_failure(draft, answer)


def _record_draw_end(
    draft: Draft, command: GenerateCommand, answer: PictureArrived | CommandFailed
) -> None:
    if isinstance(answer, PictureArrived):
        drawing.record_picture(draft, command, answer)
    else:
        drawing.record_failure(draft, command, answer)
