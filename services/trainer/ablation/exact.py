"""A critic that never errs: how much a critic can win at all with a generator.

It knows the world's language and reads pictures with the grader. Not here: trained critics
(``agents``).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from services.trainer.ablation.agents import Judged
from services.trainer.sketchbook.grader import decode, grade
from services.trainer.sketchbook.language import UnknownWordingError, outcomes_of
from services.trainer.sketchbook.settling import refined
from services.trainer.sketchbook.wording import Split
from services.trainer.sketchbook.world import ImpossibleEditError
from shared.prompts.critic import VerdictDraft


class ExactCritic:
    """Passes what is right, and settles what a prompt leaves open."""

    def verdicts(self, cases: Sequence[Judged]) -> list[VerdictDraft | None]:
        """A verdict for each case; None where the prompt means nothing in this world."""
        return [self._verdict(case) for case in cases]

    def _verdict(self, case: Judged) -> VerdictDraft | None:
        before = None if case.before is None else decode(case.before).scene
        try:
            accepted = outcomes_of(before, case.prompt)
            if accepted and grade(before, accepted, case.after).success:
                return VerdictDraft(previous_step_success=True, refine_prompt=case.used)
            better = refined(before, case.prompt, Random(case.key), Split.TRAIN)
        except (UnknownWordingError, ImpossibleEditError):
            return None
        return VerdictDraft(previous_step_success=False, refine_prompt=better)
