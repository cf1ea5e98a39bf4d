from __future__ import annotations

import asyncio
import io
from dataclasses import replace

import pytest
from PIL import Image

from services.trainer.data.records import Score
from services.trainer.grpo.assessing import Assessed, Assessor
from services.trainer.grpo.reward_function import CriticReward, marked, reply_of, spread
from services.trainer.rewards import PUBLISHED, Marking, Marks, Outcome, Reward, RewardForm
from tests.fakes.drawers import DrawsAtOnce, MarksFull, png

FAILS = '<answer>{"previous_step_success": false, "refine_prompt": "better"}</answer>'
PASSES = '<answer>{"previous_step_success": true, "refine_prompt": "x"}</answer>'
REPLIES = [FAILS, PASSES, "rubbish", FAILS]
TRUTHS = [False, False, False, True]


def _picture() -> Image.Image:
    return Image.open(io.BytesIO(png(3)))


def _rewards(form: RewardForm) -> tuple[list[float], dict[str, float]]:
    reward = CriticReward(Assessor(DrawsAtOnce(), MarksFull()), form, PUBLISHED)
    metrics: dict[str, float] = {}
    count = len(REPLIES)
    work = reward(
        completions=[[{"role": "assistant", "content": reply}] for reply in REPLIES],
        log_metric=metrics.__setitem__,
        id=[str(n) for n in range(count)],
        images=[[_picture(), _picture()] for _ in range(count)],
        first=[False] * count,
        plan_prompt=["p"] * count,
        used_prompt=["u"] * count,
        truth=TRUTHS,
        semantics=[4.0] * count,
        quality=[6.0] * count,
    )
    return asyncio.run(work), metrics


def test_rewards_in_the_papers_form() -> None:
    found, _ = _rewards(RewardForm.PAPER)

    # D = 1 - 0.5 where a picture was drawn.
    assert found == pytest.approx(
        [
            0.5 + 0.5 * (0.2 * 0 + 0.8 * 0.5),
            0.5 + 0.5 * (0.2 * -1 + 0.8 * 0.5),
            0.0 + 0.5 * (0.2 * -1 + 0.8 * 0),
            0.5 + 0.5 * (0.2 * -1 + 0.8 * 0),
        ]
    )


def test_rewards_in_the_released_form() -> None:
    found, _ = _rewards(RewardForm.RELEASED)

    # S = ((10 - 4) / 10 + 1) / 2 = 0.8, Q = ((10 - 6) / 10 + 1) / 2 = 0.7
    assert found == pytest.approx(
        [
            0.5 + 0.5 * (0.2 + 0.6 * 0.8 + 0.2 * 0.7),
            0.5 + 0.5 * (0.0 + 0.6 * 0.8 + 0.2 * 0.7),
            0.0 + 0.5 * (0.0 + 0.6 * 0.5 + 0.2 * 0.5),
            0.5 + 0.5 * (0.0 + 0.6 * 0.5 + 0.2 * 0.5),
        ]
    )


def test_parts_and_shares_are_logged() -> None:
    _, metrics = _rewards(RewardForm.RELEASED)

    assert metrics["parts/format"] == 0.75
    assert metrics["parts/accuracy"] == 0.25
    assert metrics["train/verdict_accuracy"] == 0.25
    assert metrics["train/neutral_share"] == 0.5
    assert metrics["train/repair_rate"] == 1.0
    assert metrics["train/redrawing_failed"] == 0.0


def test_replies_are_found_in_every_form_of_completion() -> None:
    assert reply_of("a") == "a"
    assert reply_of([{"role": "assistant", "content": "b"}]) == "b"
    assert reply_of([{"role": "assistant", "content": [{"type": "text", "text": "c"}]}]) == "c"


def test_groups_whose_replies_all_got_the_same_are_counted() -> None:
    totals = [0.5, 0.5, 0.5, 0.7, 0.2, 0.2 + 1e-9]
    rewards = [Reward(total, 1.0, 0.0, 0.0, 0.0) for total in totals]

    found = spread(["a", "a", "b", "b", "c", "c"], rewards)

    assert found == {"train/groups_without_spread": pytest.approx(2 / 3)}
    assert spread([], []) == {}


def test_exact_marks_tell_right_from_wrong_alone() -> None:
    outcome = Outcome(verdict=False, truth=False, old=Marks(8.0, 8.0), new=Marks(9.0, 7.0))
    right = Assessed(outcome, None, score=Score(semantics=9.0, quality=7.0, success=True))
    wrong = Assessed(outcome, None, score=Score(semantics=9.0, quality=7.0, success=False))
    unknown = Assessed(outcome, None, score=Score(semantics=9.0, quality=7.0))
    all_marks, none = Marks(10.0, 10.0), Marks(0.0, 0.0)

    assert marked(right, Marking.GRADED) == outcome
    assert marked(right, Marking.EXACT) == replace(outcome, old=none, new=all_marks)
    assert marked(wrong, Marking.EXACT) == replace(outcome, old=none, new=none)
    assert marked(unknown, Marking.EXACT) == outcome
