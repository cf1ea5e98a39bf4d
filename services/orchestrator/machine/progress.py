"""Decides what comes next: looks at the facts and starts whatever can start now."""

from __future__ import annotations

from services.orchestrator.machine import drawing, ending, judging, speculating
from services.orchestrator.machine.choosing import best_attempt
from services.orchestrator.machine.draft import Draft
from services.orchestrator.machine.problems import NOT_ACCEPTED
from shared.contracts.trajectories import Attempt, Status, StepState, StepStatus


def progress(draft: Draft) -> None:
    """Move step by step until something has to be waited for."""
    while draft.state.status is Status.RUNNING:
        index = next((i for i, s in enumerate(draft.state.steps) if not s.status.done), None)
        if index is None:
            if draft.state.plan_complete:
                ending.complete(draft)
            return
        if not _move(draft, index):
            break
    speculating.begin(draft)


def _move(draft: Draft, index: int) -> bool:
    """Bring the current step on; True when something changed."""
    step = draft.state.steps[index]
    if step.status is StepStatus.WAITING:
        _start(draft, index)
        return True
    newest = drawing.current_round(step)[-1]
    if newest.verdict is not None or newest.problem is not None:
        _decide(draft, index, newest)
        return True
    if newest.image is None or step.status is StepStatus.JUDGING:
        return False
    _take_or_ask(draft, index)
    return True


def _start(draft: Draft, index: int) -> None:
    step = draft.state.steps[index]
    draft.emit("step.started", step, text=step.plan.text)
    if step.plan.prompt is None:
        ending.finish_step(draft, index, StepStatus.TEXT)
        return
    draft.change_step(index, status=StepStatus.DRAWING)
    if not speculating.adopt(draft, index):
        drawing.draw(draft, index, step.plan.prompt)


def _take_or_ask(draft: Draft, index: int) -> None:
    """A picture has come: ask the critic, or take it as it is."""
    step = draft.state.steps[index]
    if judging.wants_verdict(draft.state, step):
        judging.ask(draft, index)
    elif draft.state.request.settings.critic:
        _exhaust(draft, index)
    else:
        number = drawing.current_round(step)[-1].number
        ending.finish_step(draft, index, StepStatus.ACCEPTED, chosen=number)


def _decide(draft: Draft, index: int, newest: Attempt) -> None:
    """The newest attempt is settled: accept it, try again, or give up."""
    if newest.verdict is not None and newest.verdict.success:
        ending.finish_step(draft, index, StepStatus.ACCEPTED, chosen=newest.number)
        return
    step = draft.state.steps[index]
    if len(drawing.current_round(step)) < draft.state.request.settings.max_attempts:
        speculating.drop_useless(draft, index)
        drawing.draw(draft, index, judging.refined_prompt(step))
    else:
        _exhaust(draft, index)


def _exhaust(draft: Draft, index: int) -> None:
    """No attempt is left: keep a picture if the rule allows, else end."""
    step = draft.state.steps[index]
    best = best_attempt(step, draft.state.request.settings.on_exhausted)
    if best is not None:
        ending.finish_step(draft, index, StepStatus.KEPT, chosen=best.number)
    elif _has_picture(step):
        ending.finish(draft, Status.FAILED, NOT_ACCEPTED)
    else:
        problem = drawing.current_round(step)[-1].problem
        ending.end_early(draft, problem or NOT_ACCEPTED)


def _has_picture(step: StepState) -> bool:
    return any(attempt.image is not None for attempt in drawing.current_round(step))
