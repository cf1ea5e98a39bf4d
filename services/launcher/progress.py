"""What is known about a running trajectory, built up from its events. ``display`` shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from services.launcher.views import EventView, GapView, StepView, TrajectoryView

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_QUEUED, _DRAWING, _JUDGING = "waiting", "drawing", "judging"


@dataclass(slots=True)
class StepProgress:
    """One step as it runs."""

    number: int
    text: str = ""
    status: str = _QUEUED
    attempt: int = 0
    verdict: str = ""


@dataclass(slots=True)
class Progress:
    """One trajectory as it runs."""

    name: str
    status: str = "queued"
    plan_complete: bool = False
    steps: dict[int, StepProgress] = field(default_factory=dict[int, StepProgress])
    problem: str = ""

    def take(self, event: EventView | GapView) -> None:
        """Learn from one more event."""
        if isinstance(event, GapView):
            self._take_snapshot(event.snapshot)
            return
        family, _, what = event.type.partition(".")
        if family == "trajectory":
            self.status = what
            self.problem = event.problem.text() if event.problem else ""
        elif event.type == "plan.completed":
            self.plan_complete = True
        if event.step is not None or event.plan_step is not None:
            self._take_step(event)

    def _take_snapshot(self, snapshot: TrajectoryView) -> None:
        self.status = snapshot.status
        self.steps = {step.step_number: _step_of(step) for step in snapshot.steps}

    def _take_step(self, event: EventView) -> None:
        number = event.plan_step.step_number if event.plan_step else event.step or 0
        step = self.steps.setdefault(number, StepProgress(number))
        if event.plan_step:
            words = event.plan_step
            step.text = words.auxiliary_text or words.instruction or words.prompt or ""
        step.attempt = event.attempt or step.attempt
        match event.type:
            case "step.started":
                step.status = _DRAWING
            case "attempt.drawn":
                step.status = _JUDGING
            case "attempt.judged":
                step.status = "passed" if event.success else "refused"
                step.verdict = conclusion(event.text or "")
            case "attempt.failed":
                step.status = "no picture"
                step.verdict = event.text or ""
            case "step.finished":
                step.status = "done" if event.success is not False else "kept"
            case _:
                pass


def _step_of(step: StepView) -> StepProgress:
    last = step.attempts[-1] if step.attempts else None
    verdict = conclusion(last.verdict.reasoning) if last and last.verdict else ""
    number = last.number if last else 0
    return StepProgress(step.step_number, step.text, step.status, number, verdict)


def conclusion(reasoning: str) -> str:
    """The last sentence of a critic's reasoning; the files that are written hold all of it."""
    return _SENTENCE_END.split(reasoning.strip())[-1]


def line_of(event: EventView | GapView) -> str:
    """The event as one line of text."""
    if isinstance(event, GapView):
        return f"(some events were missed; now {event.snapshot.status})"
    if event.type.startswith("trajectory."):
        status = event.type.removeprefix("trajectory.").replace("_", " ")
        return status + _because(event.problem.text() if event.problem else None)
    if event.type == "plan.step" and event.plan_step:
        words = event.plan_step
        said = words.prompt or words.instruction or words.auxiliary_text or ""
        return f"plan: {words.step_number}. {said}"
    return _line_of_work(event)


def _line_of_work(event: EventView) -> str:
    attempt = f"attempt {event.attempt} " if event.attempt else ""
    words = {
        "plan.completed": "plan: complete",
        "step.started": f"step {event.step}: drawing",
        "attempt.drawn": f"step {event.step}: {attempt}drawn",
        "attempt.judged": f"step {event.step}: {attempt}{'passed' if event.success else 'refused'}",
        "attempt.failed": f"step {event.step}: {attempt}failed",
        "step.finished": f"step {event.step}: {_finish(event)}",
    }
    line = words.get(event.type, event.type)
    text = conclusion(event.text) if event.type == "attempt.judged" and event.text else event.text
    return line + (_because(text) if event.type.startswith("attempt.") else "")


def _finish(event: EventView) -> str:
    return "kept although no attempt was accepted" if event.success is False else "done"


def _because(text: str | None) -> str:
    return f": {text}" if text else ""
