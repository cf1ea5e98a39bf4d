"""What the planner answers: reading a plan and checking it against the request.

Not here: what it is told (``rendering``, offered here as well) and reading a plan while it is
still being written (``plan_stream``, offered here as well).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts.plans import PlanStep
from shared.prompts.ladder import UnparsableReplyError, read_answer
from shared.prompts.lenient import Value
from shared.prompts.pack import AnswerFormat
from shared.prompts.plan_steps import NotAStepError, read_step
from shared.prompts.plan_stream import PlanStream
from shared.prompts.rendering import ImageMarksError, check_image_marks, render_plan_messages

__all__ = [
    "ImageMarksError",
    "InvalidPlanError",
    "PlanFacts",
    "PlanStream",
    "UnparsablePlanError",
    "check_image_marks",
    "parse_plan",
    "plan_faults",
    "render_plan_messages",
    "validate_plan",
]

_MAX_PROMPT_CHARACTERS = 8000


class UnparsablePlanError(UnparsableReplyError):
    """No plan can be read from the planner's reply."""


class InvalidPlanError(ValueError):
    """A plan was read but breaks the rules; ``faults`` says which."""

    def __init__(self, faults: Sequence[str]) -> None:
        """Keep the faults."""
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What of a request binds its plan."""

    image_count: int = 0
    steps: int | None = None
    """The exact number of steps asked for."""
    max_steps: int = 20


def parse_plan(reply: str, answer: AnswerFormat | None = None) -> tuple[PlanStep, ...]:
    """The steps of a reply, by the first reading that gives any.

    A step that was cut off in the middle is left out.

    Raises:
        UnparsablePlanError: No reading gives a plan.
    """
    answer = answer or AnswerFormat()
    problem = "the reply holds no plan"
    for value in read_answer(reply, answer):
        listed = value.get(answer.plan_key) if isinstance(value, dict) else value
        if not isinstance(listed, list) or not listed:
            continue
        try:
            return _steps(listed)
        except NotAStepError as error:
            problem = str(error)
    raise UnparsablePlanError(problem)


def _steps(listed: list[Value]) -> tuple[PlanStep, ...]:
    steps: list[PlanStep] = []
    for value in listed:
        steps.append(read_step(value, previous=steps[-1].step_number if steps else 0))
    return tuple(steps)


def validate_plan(steps: Sequence[PlanStep], facts: PlanFacts) -> None:
    """Return if the plan keeps all rules.

    Raises:
        InvalidPlanError: It does not.
    """
    faults = plan_faults(steps, facts)
    if faults:
        raise InvalidPlanError(faults)


def plan_faults(steps: Sequence[PlanStep], facts: PlanFacts) -> tuple[str, ...]:
    """Every rule a plan breaks, in words; empty for a valid plan.

    Source: InterleaveThinker, rules of the narrative and guidance planner prompts.
    """
    if not steps:
        return ("the plan has no steps",)
    rules = (_number_faults, _count_faults, _length_faults)
    faults = [fault for rule in rules for fault in rule(steps, facts)]
    if facts.image_count == 0:
        return (*faults, *_narrative_faults(steps))
    return (*faults, *_guidance_faults(steps))


def _number_faults(steps: Sequence[PlanStep], facts: PlanFacts) -> list[str]:
    numbers = [step.step_number for step in steps]
    first = numbers[0]
    if numbers != list(range(first, first + len(numbers))):
        return [f"step numbers are not consecutive: {numbers}"]
    if facts.image_count == 0 and first != 1:
        return [f"a plan without input images starts at step 1, not {first}"]
    return []


def _count_faults(steps: Sequence[PlanStep], facts: PlanFacts) -> list[str]:
    if facts.steps is not None and len(steps) != facts.steps:
        return [f"{facts.steps} steps were asked for, the plan has {len(steps)}"]
    if len(steps) > facts.max_steps:
        return [f"the plan has {len(steps)} steps, at most {facts.max_steps} are allowed"]
    return []


def _length_faults(steps: Sequence[PlanStep], _facts: PlanFacts) -> list[str]:
    long = [s.step_number for s in steps if len(s.prompt or "") > _MAX_PROMPT_CHARACTERS]
    return [f"the prompt of step {number} is too long" for number in long]


def _narrative_faults(steps: Sequence[PlanStep]) -> list[str]:
    return [f"step {s.step_number} has no prompt" for s in steps if not s.draws]


def _guidance_faults(steps: Sequence[PlanStep]) -> list[str]:
    """Either every step draws (the sequence goes on) or none does (the images get words)."""
    if all(not step.draws for step in steps):
        return [
            f"step {s.step_number} has neither prompt nor text"
            for s in steps
            if not s.auxiliary_text
        ]
    return [f"step {s.step_number} has no prompt" for s in steps if not s.draws]
