from __future__ import annotations

import pytest

from services.trainer.data.critic_rows import cut
from services.trainer.data.filters import Thresholds
from services.trainer.data.records import Score, Scores
from shared.prompts.critic import parse_verdict
from tests.unit.services.trainer.data.trajectories import PROMPT, SCORES, TRAJECTORY

UNBALANCED = Thresholds(balance=False)


def test_a_trajectory_is_cut_into_single_steps() -> None:
    found = cut([TRAJECTORY], {"p": PROMPT}, SCORES, UNBALANCED)

    # 4 to 9 varies by 6.25: RL. A single attempt does not vary: SFT.
    assert [(r.before, r.after, r.attempt) for r in found.rl] == [
        (None, "images/1_1.png", 1),
        (None, "images/1_2.png", 2),
    ]
    assert [(r.before, r.after) for r in found.sft] == [("images/1_2.png", "images/2_1.png")]
    assert [(r.plan_prompt, r.used_prompt) for r in found.rl] == [
        ("draw a hen", "draw a hen"),
        ("draw a hen", "draw one hen"),
    ]
    assert found.steps == {"rl": 1, "sft": 1}


def test_the_answer_to_learn_is_the_teachers_and_can_be_read() -> None:
    row = cut([TRAJECTORY], {"p": PROMPT}, SCORES, UNBALANCED).rl[0]

    read = parse_verdict(row.reply)

    assert not read.previous_step_success
    assert (read.refine_prompt, read.reasoning) == ("draw one hen", "two hens.")


def test_the_truth_is_the_exact_success_and_disagreement_can_be_left_out() -> None:
    kept = cut([TRAJECTORY], {"p": PROMPT}, SCORES, UNBALANCED).sft[0]
    strict = Thresholds(balance=False, agreement=True)
    found = cut([TRAJECTORY], {"p": PROMPT}, SCORES, strict)

    assert (kept.verdict, kept.truth) == (True, False)
    assert (found.sft, found.disagreeing) == ([], 1)


def test_where_no_success_is_known_the_teacher_is_believed() -> None:
    judged: Scores = {key: Score(semantics=s.semantics, quality=s.quality)
              for key, s in SCORES.items() if s is not None}  # fmt: skip

    assert cut([TRAJECTORY], {"p": PROMPT}, judged, UNBALANCED).sft[0].truth


def test_rl_keeps_first_attempts_when_it_is_balanced() -> None:
    found = cut([TRAJECTORY], {"p": PROMPT}, SCORES, Thresholds())

    assert found.before_balance["rl"] == {"1 false": 1, "2 true": 1}
    assert found.after_balance["rl"] == {"1 false": 1, "2 true": 1}
    assert found.sft == []  # one accepted first attempt has no refused counterpart


def test_the_overall_score_is_the_geometric_mean() -> None:
    assert Score(semantics=9, quality=4).overall == pytest.approx(6.0)
    assert Score(semantics=0, quality=10).overall == 0.0
