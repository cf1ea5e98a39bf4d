"""What the display knows, from events."""

from __future__ import annotations

from services.launcher.progress import Progress, conclusion, line_of
from services.launcher.views import (
    EventView,
    GapView,
    PlanStepView,
    RequestView,
    StepView,
    TrajectoryView,
)


def event(type_: str, **fields: object) -> EventView:
    return EventView.model_validate({"sequence": 1, "type": type_, **fields})


def test_a_step_goes_from_plan_to_done() -> None:
    progress = Progress("x")
    plan_step = PlanStepView(step_number=1, prompt="Draw a boat.", auxiliary_text="A boat.")
    progress.take(event("plan.step", step=1, plan_step=plan_step.model_dump()))
    assert progress.steps[1].text == "A boat."
    seen: list[str] = []
    for each in (
        event("step.started", step=1),
        event("attempt.drawn", step=1, attempt=1),
        event("attempt.judged", step=1, attempt=1, success=False, text="No boat."),
        event("attempt.drawn", step=1, attempt=2),
        event("attempt.judged", step=1, attempt=2, success=True),
        event("step.finished", step=1),
    ):
        progress.take(each)
        seen.append(progress.steps[1].status)
    assert seen == ["drawing", "judging", "refused", "judging", "passed", "done"]
    assert progress.steps[1].attempt == 2


def test_a_gap_takes_over_the_snapshot() -> None:
    snapshot = TrajectoryView(
        id="trj_1",
        status="running",
        final=False,
        sequence=9,
        request=RequestView(prompt="x"),
        steps=(StepView(step_number=1, text="A boat.", status="accepted"),),
    )
    progress = Progress("x")
    progress.take(GapView(sequence=9, snapshot=snapshot))
    assert progress.status == "running"
    assert progress.steps[1].status == "accepted"


def test_lines_say_why_a_picture_was_refused() -> None:
    judged = event("attempt.judged", step=2, attempt=1, success=False, text="The hat is missing.")
    assert line_of(judged) == "step 2: attempt 1 refused: The hat is missing."


def test_a_failed_trajectory_tells_its_problem() -> None:
    problem = {"title": "No usable plan was written", "detail": "Try other words."}
    failed = event("trajectory.failed", problem=problem)
    assert line_of(failed) == "failed: No usable plan was written: Try other words."
    assert failed.final


def test_of_a_long_thought_the_last_sentence_is_shown() -> None:
    thought = "the sea by day; boat: red boat. add a sun. the sun is in the wrong place. "
    assert conclusion(thought) == "the sun is in the wrong place."
    assert conclusion("one colour is 3.5 shades off") == "one colour is 3.5 shades off"
    assert conclusion("") == ""
