"""What UEval's judge is asked, and the answers that count.

Not here: what it is shown (``ueval``).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator

from services.trainer.benchmarks.scores import Met

SYSTEM = (
    "You check one criterion on an answer to a question. Reply with one JSON object, "
    '{"criteria_met": true}, {"criteria_met": false} or {"criteria_met": "not sure"}. '
    "True only if the criterion is met in full; not sure if it cannot be told."
)
PICTURE_RULE = (
    "The criterion is about the pictures. A picture that shows nothing but writing does not "
    "meet it."
)


_WORDS: dict[str, bool | str] = {
    **dict.fromkeys(("true", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "no", "n", "0"), False),
    **dict.fromkeys(("not sure", "unsure", "unknown"), "not sure"),
}
"""Words for an answer. Source: the public script."""


def _normal(value: object) -> object:
    if not isinstance(value, str):
        return value
    word = value.strip().lower()
    return _WORDS.get(word, word)


class Answer(BaseModel):
    """The judge's answer to one rubric."""

    criteria_met: Annotated[bool | Literal["not sure"], BeforeValidator(_normal)]

    @property
    def met(self) -> Met:
        """The answer as a ``Met``."""
        if self.criteria_met == "not sure":
            return Met.NOT_SURE
        return Met.YES if self.criteria_met else Met.NO
