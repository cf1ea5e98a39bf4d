"""Reads a plan while it is still being written: every step the moment its object closes.

Not here: the final word on the plan, which is the whole reply's (``planner.parse_plan``).
"""

from __future__ import annotations

import re

from shared.contracts.plans import PlanStep
from shared.prompts.ladder import after_thought
from shared.prompts.lenient import UnreadableError, closed_end, read_lenient
from shared.prompts.pack import AnswerFormat
from shared.prompts.plan_steps import NotAStepError, read_step


class PlanStream:
    """Feed it pieces of a reply; it gives back the steps that have become complete."""

    def __init__(self, answer: AnswerFormat | None = None) -> None:
        """Expect the plan under the format's key."""
        key = re.escape((answer or AnswerFormat()).plan_key)
        self._list_start = re.compile(rf"""["']?{key}["']?\s*:\s*\[""")
        self._text = ""
        self._place: int | None = None
        self._number = 0
        self._ended = False

    @property
    def text(self) -> str:
        """All that was fed so far."""
        return self._text

    def feed(self, chunk: str) -> list[PlanStep]:
        """The steps that this piece completed; an unreadable step ends the early reading."""
        self._text += chunk
        if self._ended or (self._place is not None and "}" not in chunk):
            return []
        if self._place is None:
            self._place = self._find_list()
        steps: list[PlanStep] = []
        while not self._ended and (step := self._next_step()) is not None:
            steps.append(step)
        return steps

    def _find_list(self) -> int | None:
        behind = after_thought(self._text)
        found = self._list_start.search(behind) if behind is not None else None
        if behind is None or found is None:
            return None
        return len(self._text) - len(behind) + found.end()

    def _next_step(self) -> PlanStep | None:
        if self._place is None:
            return None
        start = re.compile(r"[\s,]*").match(self._text, self._place)
        begin = start.end() if start else self._place
        if begin >= len(self._text):
            return None
        if self._text[begin] != "{":
            self._ended = True
            return None
        end = closed_end(self._text, begin)
        return None if end is None else self._read(begin, end)

    def _read(self, begin: int, end: int) -> PlanStep | None:
        try:
            value = read_lenient(self._text[begin:end])
            step = read_step(value, previous=self._number)
        except (UnreadableError, NotAStepError):
            self._ended = True
            return None
        self._place, self._number = end, step.step_number
        return step
