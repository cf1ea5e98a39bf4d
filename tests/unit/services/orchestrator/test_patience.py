"""How long something is tried again."""

from __future__ import annotations

import pytest

from services.orchestrator.patience import Patience, Tries
from shared.errors import (
    BadReplyError,
    InterleaveError,
    ServiceRejectedError,
    ServiceTimeoutError,
    ServiceUnavailableError,
)


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def tries(clock: Clock, jitter: float = 1.0, **limits: float) -> Tries:
    return Tries(Patience(**limits), clock_s=clock, jitter=lambda: jitter)  # type: ignore[arg-type]


def test_pauses_double_up_to_the_longest() -> None:
    attempt = tries(Clock(), first_pause_s=1.0, longest_pause_s=5.0)
    assert [attempt.pause_after(ServiceUnavailableError()) for _ in range(5)] == [1, 2, 4, 5, 5]


def test_a_pause_is_any_part_of_the_longest() -> None:
    attempt = tries(Clock(), jitter=0.25, first_pause_s=1.0)
    assert attempt.pause_after(ServiceUnavailableError()) == 0.25


def test_what_is_away_is_awaited_until_the_window_closes() -> None:
    clock = Clock()
    attempt = tries(clock, window_s=60)
    for _ in range(50):
        assert attempt.pause_after(ServiceUnavailableError()) is not None
        clock.now_s += 1
    clock.now_s += 10
    assert attempt.pause_after(ServiceUnavailableError()) is None


@pytest.mark.parametrize("error", [BadReplyError(), ServiceTimeoutError()])
def test_what_answers_wrongly_is_asked_a_few_times_only(error: InterleaveError) -> None:
    attempt = tries(Clock(), max_tries=3)
    assert attempt.pause_after(error) is not None
    assert attempt.pause_after(ServiceUnavailableError()) is not None
    assert attempt.pause_after(error) is not None
    assert attempt.pause_after(error) is None


def test_what_is_final_is_not_tried_again() -> None:
    assert tries(Clock()).pause_after(ServiceRejectedError()) is None
