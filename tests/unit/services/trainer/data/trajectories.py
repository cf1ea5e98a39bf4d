"""A small trajectory worked by hand: two steps, the first of them drawn twice."""

from __future__ import annotations

from services.trainer.data.records import (
    AttemptRecord,
    PromptRecord,
    Score,
    Scores,
    StepRecord,
    TrajectoryRecord,
)
from shared.contracts.plans import PlanStep

PROMPT = PromptRecord(id="p", category="story", subcategory="x", text="Show a hen.")
FIRST = StepRecord(
    plan=PlanStep(step_number=1, instruction="A hen.", prompt="draw a hen"),
    source=None,
    chosen=2,
    attempts=(
        AttemptRecord(number=1, prompt="draw a hen", file="images/1_1.png", verdict=False,
                      refine_prompt="draw one hen", reasoning="two hens."),
        AttemptRecord(number=2, prompt="draw one hen", file="images/1_2.png", verdict=True,
                      refine_prompt="draw one hen", reasoning="fine."),
    ),
)  # fmt: skip
SECOND = StepRecord(
    plan=PlanStep(step_number=2, instruction="A sun.", prompt="add a sun"),
    source="images/1_2.png",
    chosen=1,
    attempts=(
        AttemptRecord(number=1, prompt="add a sun", file="images/2_1.png", verdict=True,
                      refine_prompt="add a sun", reasoning="fine."),
    ),
)  # fmt: skip
TRAJECTORY = TrajectoryRecord(
    id="p-g", prompt_id="p", generator="g", status="succeeded", steps=(FIRST, SECOND)
)
SCORES: Scores = {
    ("p-g", 0, 1): Score(semantics=4, quality=4, success=False),
    ("p-g", 0, 2): Score(semantics=9, quality=9, success=True),
    ("p-g", 1, 1): Score(semantics=9, quality=4, success=False),
}
