"""Verdicts: asking for them, noting them, and which attempt counts in the end."""

from __future__ import annotations

from services.orchestrator.machine import ending
from services.orchestrator.machine.draft import Draft
from services.orchestrator.machine.drawing import current_round
from services.orchestrator.machine.problems import unreadable_verdict
from shared.contracts.events import CommandFailed, VerdictArrived
from shared.contracts.trajectories import CritiqueCommand, StepState, StepStatus, Trajectory


def wants_verdict(state: Trajectory, step: StepState) -> bool:
    """Whether the critic is asked about the newest attempt."""
    settings = state.request.settings
    is_last = len(current_round(step)) >= settings.max_attempts
    return settings.critic and (settings.critic_on_last_attempt or not is_last)


def ask(draft: Draft, index: int) -> None:
    """Send the newest attempt of a step to the critic."""
    number = current_round(draft.state.steps[index])[-1].number
    draft.change_step(index, status=StepStatus.JUDGING)
    draft.count(critic_calls=1)
    draft.order(CritiqueCommand(id=f"critique-{index}-{number}", step=index, attempt=number))


def record_verdict(draft: Draft, command: CritiqueCommand, happening: VerdictArrived) -> None:
    """Note the verdict; one that could not be read is a problem of the attempt."""
    verdict = happening.verdict
    if verdict is None:
        problem = unreadable_verdict(happening.detail)
        draft.change_attempt(command.step, command.attempt, problem=problem)
        step = draft.state.steps[command.step]
        draft.emit("attempt.failed", step, attempt=command.attempt, problem=problem)
        return
    draft.change_attempt(command.step, command.attempt, verdict=verdict)
    draft.emit(
        "attempt.judged",
        draft.state.steps[command.step],
        attempt=command.attempt,
        success=verdict.success,
        text=verdict.reasoning,
    )


def record_failure(draft: Draft, command: CritiqueCommand, happening: CommandFailed) -> None:
    """No verdict will come: note why and end with what exists."""
    draft.change_attempt(command.step, command.attempt, problem=happening.problem)
    step = draft.state.steps[command.step]
    draft.emit("attempt.failed", step, attempt=command.attempt, problem=happening.problem)
    ending.end_early(draft, happening.problem)


def refined_prompt(step: StepState) -> str:
    """The prompt of the next attempt: the critic's, or the same again if there is none."""
    newest = current_round(step)[-1]
    refined = newest.verdict.refine_prompt.strip() if newest.verdict else ""
    return refined or newest.prompt
