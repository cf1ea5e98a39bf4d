from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.trainer.ablation.measuring import (
    CaseTrial,
    Laboratory,
    Measuring,
    Trial,
    chosen,
    question_seed,
)
from services.trainer.ablation.report import critic_results, document, markdown, row_results
from services.trainer.ablation.rows import ROWS, Checkpoints, Row
from services.trainer.ablation.session import Plan
from services.trainer.ablation.trajectories import Crew
from services.trainer.benchmarks.records import BenchmarkDataError
from services.trainer.benchmarks.sketchbench import Question, frozen_questions
from tests.fakes.crews import DrawsExactly, PlansByHeart, PlansNothing

_FIRST = Row("first", "First", None, None)
_SECOND = Row("second", "Second", None, None, against="first")


def _trial(row: str, request: str, *, goal: bool, seed: int = 1, weights: str = "w") -> Trial:
    return Trial(
        row=row, weights=weights, seed=seed, request=request, group="narrative", goal=goal,
        steps=1, calls=2, seconds=30,
    )  # fmt: skip


def test_a_request_counts_once_however_many_seeds_it_has() -> None:
    trials = [_trial("first", "a", goal=seed < 2, seed=seed) for seed in range(4)]
    trials += [_trial("first", "b", goal=False, seed=seed) for seed in range(4)]

    (found,) = row_results([_FIRST], trials)

    assert found.goal["all"].n == 2
    assert found.goal["all"].mean == pytest.approx(0.25)
    assert found.seeds == (0, 1, 2, 3)
    assert found.minutes == pytest.approx(4.0)


def test_rows_are_compared_request_by_request() -> None:
    trials = [_trial("first", name, goal=False) for name in "abcd"]
    trials += [_trial("second", name, goal=name in "ab") for name in "abc"]

    _, found = row_results([_FIRST, _SECOND], trials)

    assert found.difference is not None
    assert found.difference.n == 3
    assert found.difference.mean == pytest.approx(2 / 3)


def test_only_the_newest_weights_count() -> None:
    trials = [_trial("first", "a", goal=False, weights="old")]
    trials += [_trial("first", "a", goal=True, weights="new")]

    (found,) = row_results([_FIRST], trials)

    assert found.goal["all"].mean == pytest.approx(1.0)


def test_a_critic_is_measured_on_right_and_wrong_pictures_apart() -> None:
    said = [(True, True, None), (True, False, None), (False, False, True), (False, None, False)]
    trials = [
        CaseTrial(critic="c", weights="w", case=n, truth=t, verdict=v, repaired=r)
        for n, (t, v, r) in enumerate(said)
    ]

    (found,) = critic_results(trials)

    assert found.verdicts.value == pytest.approx(0.5)
    assert found.on_right.value == pytest.approx(0.5)
    assert found.on_wrong.value == pytest.approx(0.5)
    assert (found.repairs.value, found.repairs.n) == (pytest.approx(0.5), 2)


def test_repairs_are_compared_with_the_fine_tuned_critics_case_by_case() -> None:
    trials = [
        CaseTrial(critic=name, weights="w", case=n, truth=False, verdict=False, repaired=repaired)
        for name, said in (("critic-sft", (True, False, False)), ("critic-rl", (True, True, False)))
        for n, repaired in enumerate(said)
    ]

    usual, rl = critic_results(trials)

    assert usual.difference is None
    assert rl.difference is not None
    assert (rl.difference.n, rl.difference.mean) == (3, pytest.approx(1 / 3))


def test_tables_are_written_for_people_and_programs() -> None:
    rows = row_results([_FIRST, _SECOND], [_trial(n, "a", goal=True) for n in ("first", "second")])

    table, found = markdown(rows, []), json.loads(document(rows, []))

    assert "| First | 1 x 1 | 100.0 (100.0 to 100.0) |" in table
    assert "+0.0 (+0.0 to +0.0) (first)" in table
    assert [row["row"]["name"] for row in found["rows"]] == ["first", "second"]


def test_half_of_the_requests_are_implicit_and_every_use_is_there() -> None:
    found = chosen(frozen_questions(), 90)

    assert len(found) == 90
    assert sum(each.request.implicit for each in found) == 45
    kinds = [each.id.rpartition("-")[0] for each in found]
    assert {kinds.count(kind) for kind in set(kinds)} <= {9, 11, 12}
    assert chosen(frozen_questions(), 90) == found


def test_seeds_differ_by_request_and_by_seed() -> None:
    assert len({question_seed(seed, name) for seed in (1, 2) for name in ("a", "b")}) == 4


def test_every_reference_is_a_row_before_or_after_it() -> None:
    names = {row.name for row in ROWS}

    assert len(names) == len(ROWS)
    assert {row.against for row in ROWS if row.against} <= names


def test_a_row_that_does_not_exist_is_told() -> None:
    with pytest.raises(BenchmarkDataError, match="no row 'x'; there are alone"):
        Plan(Path("out"), 10, (1,), ("x",), 0).rows()


class FakeLaboratory(Laboratory):
    """Has no models: everything is by heart, or nothing is."""

    def __init__(self, *, able: bool) -> None:
        super().__init__(Checkpoints())
        self.able = able
        self.crews = 0

    def crew(self, row: Row) -> Crew:
        self.crews += 1
        return Crew(PlansByHeart() if self.able else PlansNothing(), None, DrawsExactly())

    def weights(self, *names: str | None) -> str:
        return f"{self.able}"


def _some_questions(count: int) -> list[Question]:
    return chosen(frozen_questions(), count)


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    done: list[int] = []
    Measuring(tmp_path, FakeLaboratory(able=True)).row(_FIRST, _some_questions(4), 1, done.append)
    again = FakeLaboratory(able=True)

    Measuring(tmp_path, again).row(_FIRST, _some_questions(6), 1, done.append)

    trials = list(Measuring(tmp_path, again).trials)
    assert len(trials) == 8 - 2
    assert all(trial.goal for trial in trials)
    assert sum(done) == 4 + 6


def test_other_weights_are_measured_anew(tmp_path: Path) -> None:
    for able in (True, False):
        laboratory = FakeLaboratory(able=able)
        Measuring(tmp_path, laboratory).row(_FIRST, _some_questions(4), 1, lambda _: None)

    (found,) = row_results([_FIRST], Measuring(tmp_path, FakeLaboratory(able=True)).trials)
    assert found.goal["all"].mean == pytest.approx(0.0)
