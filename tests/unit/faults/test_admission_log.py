"""The admission log understands what the server says it did."""

from __future__ import annotations

import random
from types import SimpleNamespace

from tests.faults.admission_log import AdmissionLog
from tests.faults.scenarios.fairness import check_turns
from tests.faults.trial import Trial


def waits(log: AdmissionLog, name: str, line: str) -> None:
    log.note(f'1.0 [0 lua] "ZADD" "interleave:admission:waiting:{line}" "NX" "17" "trj_{name}"')


def let_in(log: AdmissionLog, name: str) -> None:
    log.note(f'1.0 [0 lua] "SADD" "interleave:admission:admitted" "trj_{name}"')


def leaves(log: AdmissionLog, name: str) -> None:
    log.note(f'1.0 [0 lua] "SREM" "interleave:admission:admitted" "trj_{name}"')


def trial() -> Trial:
    nothing = SimpleNamespace()
    return Trial(nothing, nothing, random.Random(0), "x")  # type: ignore[arg-type]


def test_who_went_first_and_how_many_were_in_flight_is_read_from_the_servers_commands() -> None:
    log = AdmissionLog()
    for name in "abc":
        waits(log, name, "interactive:greedy")
    let_in(log, "a")
    waits(log, "single", "interactive:modest")
    let_in(log, "b")
    let_in(log, "b")  # a later save says so again
    let_in(log, "single")
    assert log.before("trj_single") == ["trj_b"]
    assert log.most_in_flight == 3
    leaves(log, "a")
    let_in(log, "c")
    assert log.most_in_flight == 3


def test_a_second_turn_of_another_key_is_a_complaint() -> None:
    log, kept = AdmissionLog(), trial()
    for name in "ab":
        waits(log, name, "interactive:greedy")
    waits(log, "single", "interactive:modest")
    let_in(log, "a")
    let_in(log, "single")
    check_turns(kept, log, "trj_single")
    assert kept.stuck == []
    late = AdmissionLog()
    for name in "ab":
        waits(late, name, "interactive:greedy")
    waits(late, "single", "interactive:modest")
    for name in ("a", "b", "single"):
        let_in(late, name)
    broken = trial()
    check_turns(broken, late, "trj_single")
    assert len(broken.stuck) == 1


def test_batch_work_before_an_interactive_job_gets_an_eighth_of_the_turns_only() -> None:
    log = AdmissionLog()
    for name in ("b1", "b2"):
        waits(log, name, "batch:slow")
    waits(log, "single", "interactive:modest")
    for name in ("b1", "b2", "single"):
        let_in(log, name)
    broken = trial()
    check_turns(broken, log, "trj_single")
    assert len(broken.stuck) == 1
