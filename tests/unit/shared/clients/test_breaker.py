"""When a service that fails is left in peace, and when it is asked again."""

from __future__ import annotations

import pytest

from shared.clients.breaker import FAILURES, FIRST_PAUSE_S, LONGEST_PAUSE_S, PROBE_S, Breaker
from shared.errors import ServiceUnavailableError


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def opened(clock: Clock, *, jitter: float = 1.0) -> Breaker:
    breaker = Breaker("critic", clock_s=clock, jitter=lambda: jitter)
    for _ in range(FAILURES):
        breaker.check()
        breaker.failed()
    return breaker


def is_open(breaker: Breaker) -> bool:
    try:
        breaker.check()
    except ServiceUnavailableError:
        return True
    return False


def test_a_few_failures_change_nothing() -> None:
    breaker = Breaker("critic", clock_s=Clock())
    for _ in range(FAILURES - 1):
        breaker.failed()
    assert not is_open(breaker)


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker("critic", clock_s=Clock())
    for _ in range(3 * FAILURES):
        breaker.failed()
        breaker.succeeded()
    assert not is_open(breaker)


def test_many_failures_refuse_every_call_and_say_why() -> None:
    with pytest.raises(ServiceUnavailableError, match="critic failed 5 times"):
        opened(Clock()).check()


def test_after_the_pause_one_call_goes_ahead_and_the_others_wait_for_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now_s += FIRST_PAUSE_S
    assert not is_open(breaker)
    assert is_open(breaker)
    breaker.succeeded()
    assert [is_open(breaker) for _ in range(3)] == [False] * 3


def test_a_probe_that_never_ends_is_followed_by_another() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now_s += FIRST_PAUSE_S
    breaker.check()
    clock.now_s += PROBE_S
    assert not is_open(breaker)


def test_pauses_grow_with_every_failed_probe_up_to_the_longest() -> None:
    clock = Clock()
    breaker = opened(clock)
    for pause_s in (0.5, 1.0, 2.0, LONGEST_PAUSE_S, LONGEST_PAUSE_S):
        clock.now_s += pause_s - 0.01
        assert is_open(breaker)
        clock.now_s += 0.02
        assert not is_open(breaker)
        breaker.failed()


def test_the_pause_is_any_part_of_the_longest() -> None:
    clock = Clock()
    breaker = opened(clock, jitter=0.25)
    clock.now_s += FIRST_PAUSE_S / 4
    assert not is_open(breaker)
