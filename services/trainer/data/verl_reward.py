"""Reward of the critic for verl and EasyR1: format and accuracy, in the released form.

Copied beside the exported rows as ``compute_score.py``: verl calls ``compute_score`` for a reply,
EasyR1 ``compute_scores`` for a batch (``reward_function: .../compute_score.py:compute_scores``).
The step-wise part needs a generator service and is neutral here (give ``compute_score`` the marks
of a redrawn picture to count it). This project must be importable where it runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import cast

from services.trainer.rewards import Marks, Outcome, Reward, RewardForm, reward
from shared.prompts.critic import UnparsableVerdictError, parse_verdict


def compute_score(
    data_source: str,  # noqa: ARG001 - verl's signature
    solution_str: str,
    ground_truth: Mapping[str, object] | str,
    extra_info: Mapping[str, object] | None = None,
) -> float:
    """The reward of one reply; ``extra_info["new_marks"]`` may hold (semantics, quality)."""
    new = (extra_info or {}).get("new_marks")
    marks = Marks(float(new[0]), float(new[1])) if isinstance(new, list | tuple) else None
    return _reward(solution_str, ground_truth, marks).total


def compute_scores(
    reward_inputs: Sequence[Mapping[str, object]], **_: object
) -> list[dict[str, float]]:
    """The rewards of a batch as EasyR1 takes them; an input holds response and ground_truth."""
    found = [_reward(str(each["response"]), _facts(each["ground_truth"])) for each in reward_inputs]
    return [
        {"overall": each.total, "format": each.format, "accuracy": each.accuracy} for each in found
    ]


def _reward(reply: str, truth: Mapping[str, object] | str, new: Marks | None = None) -> Reward:
    facts = _facts(truth)
    try:
        verdict = parse_verdict(reply).previous_step_success
    except UnparsableVerdictError:
        verdict = None
    old = Marks(float(str(facts["semantics"])), float(str(facts["quality"])))
    return reward(Outcome(verdict, bool(facts["truth"]), old, new), RewardForm.RELEASED)


def _facts(truth: object) -> Mapping[str, object]:
    found = json.loads(truth) if isinstance(truth, str) else truth
    if not isinstance(found, Mapping):
        raise TypeError("the truth should be the facts of a row")
    return cast("Mapping[str, object]", found)
