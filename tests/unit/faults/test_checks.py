"""The harness must see what is wrong: without this its zeros would mean nothing."""

from __future__ import annotations

from tests.faults.checks import event_complaints, step_complaints
from tests.faults.report import added, kept, table
from tests.faults.trial import Outcome

RECORD = {
    "status": "succeeded",
    "sequence": 3,
    "usage": {"generator_calls": 1},
    "request": {"max_generator_calls": 5},
    "steps": [
        {
            "step_number": 1,
            "attempts": [{"number": 1, "speculative": False, "verdict": {"success": True}}],
        }
    ],
}


def events(*kinds: str) -> list[dict[str, object]]:
    return [
        {"sequence": n, "type": kind, "step": 1, "attempt": 1}
        for n, kind in enumerate(kinds, start=1)
    ]


GOOD = events("trajectory.running", "attempt.drawn", "trajectory.succeeded")


def test_a_clean_history_has_no_complaints() -> None:
    assert list(event_complaints(GOOD, RECORD, rebuilt=False)) == []
    assert list(step_complaints(RECORD)) == []


def test_a_missing_event_is_seen() -> None:
    assert list(event_complaints(GOOD[:1] + GOOD[2:], RECORD, rebuilt=False))


def test_an_event_that_comes_twice_is_seen() -> None:
    twice = events("attempt.drawn", "attempt.drawn", "trajectory.succeeded")
    assert any("2 times" in text for text in event_complaints(twice, RECORD, rebuilt=False))


def test_two_ends_are_seen() -> None:
    two = events("trajectory.running", "trajectory.succeeded", "trajectory.succeeded")
    assert any("final events" in text for text in event_complaints(two, RECORD, rebuilt=False))


def test_no_events_are_forgiven_only_after_the_store_was_lost() -> None:
    assert list(event_complaints([], RECORD, rebuilt=False)) == ["no events"]
    assert list(event_complaints([], RECORD, rebuilt=True)) == []


def test_calls_that_were_not_counted_are_seen() -> None:
    record = {**RECORD, "usage": {"generator_calls": 2}}
    assert list(step_complaints(record)) == ["2 calls counted, 1 attempts"]


def test_a_budget_overrun_is_seen() -> None:
    record = {**RECORD, "request": {"max_generator_calls": 0}}
    assert list(step_complaints(record)) == ["over budget"]


def outcome(**more: int) -> Outcome:
    values = {"faults": 1, "trajectories": 2, "lost": 0, "doubled": 0, "stuck": 0, **more}
    return Outcome(promise="G1", worst_recovery_s=1.5, **values)


def test_a_promise_is_kept_only_if_it_was_attacked_and_nothing_is_wrong() -> None:
    assert kept([outcome()])
    assert not kept([])
    for name in ("lost", "doubled", "stuck"):
        assert not kept([outcome(), outcome(**{name: 1})])
    assert not kept([outcome(faults=0)])


def test_runs_of_one_scenario_become_one_row() -> None:
    (row,) = added([outcome(), outcome(faults=4)])
    assert (row.faults, row.trajectories, row.worst_recovery_s) == (5, 4, 1.5)
    assert "| G1 " in table([row])
