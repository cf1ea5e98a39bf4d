"""Reward of the critic for verl and EasyR1: format and accuracy, in the released form.

Copied beside the exported rows as ``compute_score.py``; the step-wise part needs a generator
service and is neutral here (give ``compute_score`` the marks of a redrawn picture to count it).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from services.trainer.rewards import Marks, Outcome, RewardForm, reward
from shared.prompts.critic import UnparsableVerdictError, parse_verdict


def compute_score(
    data_source: str,  # noqa: ARG001 - verl's signature
    solution_str: str,
    ground_truth: Mapping[str, object] | str,
    extra_info: Mapping[str, object] | None = None,
) -> float:
    """The reward of one reply; ``extra_info["new_marks"]`` may hold (semantics, quality)."""
    facts = json.loads(ground_truth) if isinstance(ground_truth, str) else ground_truth
    try:
        verdict = parse_verdict(solution_str).previous_step_success
    except UnparsableVerdictError:
        verdict = None
    new = (extra_info or {}).get("new_marks")
    outcome = Outcome(
        verdict=verdict,
        truth=bool(facts["truth"]),
        old=Marks(float(str(facts["semantics"])), float(str(facts["quality"]))),
        new=Marks(float(new[0]), float(new[1])) if isinstance(new, list | tuple) else None,
    )
    return reward(outcome, RewardForm.RELEASED).total
