"""Shares and their intervals."""

from __future__ import annotations

import pytest

from services.trainer.sketchbook.shares import Share


def test_the_interval_is_wilsons() -> None:
    share = Share.of([True] * 81 + [False] * 182)
    assert share.value == pytest.approx(81 / 263)
    assert (share.low, share.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_all_right_still_leaves_doubt() -> None:
    share = Share.of([True] * 20)
    assert share.value == 1.0
    assert share.high == pytest.approx(1.0)
    assert 0.8 < share.low < 0.9


def test_nothing_measured_says_nothing() -> None:
    assert Share.of([]) == Share(0.0, 0, 0.0, 1.0)
