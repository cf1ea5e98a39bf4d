"""Which waiting calls go next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.generator.waiting import AGES_AFTER_S, WaitingCalls


def _queue(*calls: tuple[str, str, bool]) -> WaitingCalls[str]:
    queue: WaitingCalls[str] = WaitingCalls()
    for number, (shape, owner, speculative) in enumerate(calls):
        queue.add(f"{owner}{number}", shape=shape, owner=owner, speculative=speculative, now_s=0)
    return queue


def _items(queue: WaitingCalls[str], max_batch: int, *, now_s: float = 0) -> list[str]:
    return [call.item for call in queue.take(max_batch, now_s=now_s)]


def test_a_batch_holds_one_shape_only() -> None:
    queue = _queue(("small", "a", False), ("large", "b", False), ("small", "c", False))
    assert _items(queue, 8) == ["a0", "c2"]
    assert _items(queue, 8) == ["b1"]
    assert _items(queue, 8) == []


def test_speculative_calls_wait_until_nothing_else_does() -> None:
    queue = _queue(("s", "a", True), ("s", "b", False), ("s", "c", True))
    assert _items(queue, 8) == ["b1"]
    assert _items(queue, 8) == ["a0", "c2"]


def test_a_speculative_call_does_not_starve_under_steady_load() -> None:
    queue: WaitingCalls[str] = WaitingCalls()
    queue.add("ahead", shape="s", owner="a", speculative=True, now_s=0)
    drawn: list[str] = []
    for second in range(2 * round(AGES_AFTER_S)):
        for name in ("x", "y"):
            queue.add(name, shape="s", owner=name, speculative=False, now_s=second)
        drawn += _items(queue, 1, now_s=second)
        if "ahead" in drawn:
            break
    assert len(drawn) - 1 == AGES_AFTER_S  # second by second; then it was the oldest of all


def test_an_aged_speculative_call_joins_an_ordinary_batch() -> None:
    queue = _queue(("s", "a", True), ("s", "b", False), ("t", "c", True))
    assert _items(queue, 8, now_s=AGES_AFTER_S) == ["a0", "b1"]


def test_one_owners_many_calls_do_not_delay_anothers_only_one() -> None:
    queue = _queue(*[("s", "a", False)] * 5, ("s", "b", False))
    assert _items(queue, 2) == ["a0", "b5"]
    assert _items(queue, 2) == ["a1", "a2"]


def test_a_call_that_left_is_not_drawn() -> None:
    queue: WaitingCalls[str] = WaitingCalls()
    call = queue.add("x", shape="s", owner="a", speculative=False, now_s=0)
    assert queue.remove(call)
    assert not queue.remove(call)
    assert _items(queue, 8) == []


@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("abc"), st.booleans())),
    st.integers(1, 4),
)
def test_every_call_is_taken_exactly_once_in_batches_of_its_kind(
    calls: list[tuple[str, str, bool]], max_batch: int
) -> None:
    queue = _queue(*calls)
    seen: list[int] = []
    speculative_began = False
    while batch := queue.take(max_batch, now_s=0):
        assert len(batch) <= max_batch
        assert len({(call.shape, call.speculative) for call in batch}) == 1
        assert not (speculative_began and not batch[0].speculative)
        speculative_began = batch[0].speculative
        seen += [call.number for call in batch]
    assert sorted(seen) == list(range(len(calls)))
