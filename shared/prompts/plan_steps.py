"""Reads one step of a plan out of whatever object a model wrote for it.

Not here: finding the object in the reply (``ladder``, ``plan_stream``).
"""

from __future__ import annotations

from shared.contracts.plans import PlanStep
from shared.prompts.lenient import Value, whole_characters

_NOTHING = frozenset({"", "null", "none", "n/a"})


class NotAStepError(ValueError):
    """The value is no step of a plan."""


def read_step(value: Value, *, previous: int) -> PlanStep:
    """The step an object describes; a missing number is one more than the previous.

    Raises:
        NotAStepError: It is no object, or holds nothing to draw and nothing to read.
    """
    if not isinstance(value, dict):
        raise NotAStepError(f"a step must be an object, not {type(value).__name__}")
    step = PlanStep(
        step_number=_number(value.get("step_number"), previous + 1),
        step_name=_text(value, "step_name") or "",
        instruction=_text(value, "instruction"),
        prompt=_text(value, "prompt"),
        auxiliary_text=_text(value, "auxiliary_text"),
    )
    if not (step.prompt or step.instruction or step.auxiliary_text):
        raise NotAStepError(f"step {step.step_number} is empty")
    return step


def _number(value: Value, default: int) -> int:
    if value is None:
        return default
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value.strip()[:9])
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise NotAStepError(f"step_number must be a whole number from 1, not {str(value)[:20]!r}")
    return value


def _text(fields: dict[str, Value], name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise NotAStepError(f"{name} must be text or null, not {type(value).__name__}")
    text = whole_characters(value).strip()
    return None if text.lower() in _NOTHING else text
