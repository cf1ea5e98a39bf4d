from __future__ import annotations

import pytest

from services.trainer.grpo.assessing import Assessed, Assessor, Case, PictureScorer
from services.trainer.grpo.drawing import Drawer
from services.trainer.rewards import Marks, Outcome
from tests.fakes.drawers import (
    CannotMark,
    DiesWhenAsked,
    DrawsAtOnce,
    HangsUntilCancelled,
    MarksFull,
    png,
)

OLD = Marks(4, 4)
WRONG = Case("a", png(1), png(2), "a hen", "one hen", truth=False, old=OLD)
RIGHT = Case("b", None, png(2), "a hen", "one hen", truth=True, old=OLD)
FAILS = '<answer>{"previous_step_success": false, "refine_prompt": "a better hen"}</answer>'
PASSES = '<answer>{"previous_step_success": true, "refine_prompt": ""}</answer>'


def _assessed(
    drawer: Drawer | None,
    scorer: PictureScorer,
    cases: list[Case],
    replies: list[str],
    *,
    limit_s: float = 30.0,
) -> list[Assessed]:
    assessor = Assessor(drawer, scorer, concurrency=2, time_limit_s=limit_s)
    return assessor.submit(assessor.assess_all(cases, replies, seed=1)).result(60)


def test_a_failure_is_drawn_again_from_the_steps_source_by_the_new_prompt() -> None:
    drawer = DrawsAtOnce()

    (found,) = _assessed(drawer, MarksFull(), [WRONG], [FAILS])

    assert found.outcome == Outcome(verdict=False, truth=False, old=OLD, new=Marks(10, 10))
    assert found.repaired
    (order,) = drawer.orders
    assert (order.prompt, order.source, order.width_px) == ("a better hen", WRONG.before, 32)


def test_a_wrong_pass_is_drawn_again_by_the_prompt_that_was_used() -> None:
    drawer = DrawsAtOnce()

    _assessed(drawer, MarksFull(), [WRONG], [PASSES])

    assert [order.prompt for order in drawer.orders] == ["one hen"]


def test_right_pictures_and_unreadable_replies_draw_nothing() -> None:
    drawer = DrawsAtOnce()

    right, rubbish = _assessed(drawer, MarksFull(), [RIGHT, WRONG], [FAILS, "rubbish"])

    assert drawer.orders == []
    assert (right.outcome.verdict, rubbish.outcome.verdict) == (False, None)


def test_replies_that_ask_for_the_same_picture_share_it() -> None:
    drawer = DrawsAtOnce()
    assessor = Assessor(drawer, MarksFull(), concurrency=3)

    found = assessor.submit(assessor.assess_all([WRONG] * 3, [FAILS] * 3, seed=1)).result(60)

    assert len(drawer.orders) == 1
    assert len(found) == 3


@pytest.mark.parametrize(
    ("drawer", "scorer", "problem"),
    [
        (DiesWhenAsked(), MarksFull(), "ServiceUnavailableError"),
        (HangsUntilCancelled(), MarksFull(), "TimeoutError"),
        (DrawsAtOnce(), CannotMark(), "UnscorableError"),
    ],
)
def test_whatever_fails_is_neutral_and_told(
    drawer: Drawer, scorer: PictureScorer, problem: str
) -> None:
    (found,) = _assessed(drawer, scorer, [WRONG], [FAILS], limit_s=0.3)

    assert found.outcome == Outcome(verdict=False, truth=False, old=OLD, new=None)
    assert problem in found.problem
    assert not found.repaired
