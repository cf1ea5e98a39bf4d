"""A plan in the making: which of its steps have been shown to the caller already.

A shown step is a promise, since its picture may be drawn while the planner still writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shared.contracts.plans import PlanStep
from shared.prompts.planner import PlanFacts, plan_faults


@dataclass(slots=True)
class PlanDraft:
    """The shown steps, and whether the planner has taken one of them back."""

    facts: PlanFacts
    holds: bool = False
    """Show nothing before the whole plan is known to be good."""
    shown: list[PlanStep] = field(default_factory=list)
    contradicted: bool = False
    tokens: int = 0
    """Pieces of text that the model has written, in all replies."""
    _place: int = 0

    def begin_reply(self) -> None:
        """A reply starts: its first step is compared with the first shown one."""
        self._place = 0

    def offer(self, step: PlanStep) -> bool:
        """Whether this step of the reply is new and may be shown; if so it counts as shown."""
        place, self._place = self._place, self._place + 1
        if place < len(self.shown):
            self.contradicted = self.contradicted or self.shown[place] != step
            return False
        if self.holds or self.contradicted or place != len(self.shown) or not self._fits(step):
            return False
        self.shown.append(step)
        return True

    def keeps_promises(self, steps: Sequence[PlanStep]) -> bool:
        """Whether a whole plan begins with every shown step."""
        return list(steps[: len(self.shown)]) == self.shown

    def _fits(self, step: PlanStep) -> bool:
        steps = [*self.shown, step]
        limit = self.facts.steps or self.facts.max_steps
        # The final number of steps is not known yet: only that it is not exceeded.
        facts = replace(self.facts, steps=None, max_steps=limit)
        return not plan_faults(steps, facts)
