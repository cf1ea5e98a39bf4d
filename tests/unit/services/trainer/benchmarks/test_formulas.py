"""From judged items to a report by hand, and what holds of every report.

Not here: the formulas of one item (``test_scores``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.trainer.benchmarks.comm import CoMM
from services.trainer.benchmarks.evaluation import Judged
from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.judge import Judge
from services.trainer.benchmarks.layouts import write_rise, write_wise
from services.trainer.benchmarks.opening import Opening
from services.trainer.benchmarks.pictures import for_judge
from services.trainer.benchmarks.records import Item, ItemScore, Line, pictures_like
from services.trainer.benchmarks.rise import CATEGORIES, Rise
from services.trainer.benchmarks.scores import (
    COMM_SCORES,
    LOGICAL,
    OPENING_SCORES,
    WISE_DOMAINS,
    WiseEdition,
    mean_of_all,
    rise_accurate,
    rise_item,
    rise_weights,
    viescore_overall,
    viescore_quality,
    viescore_semantics,
    wiscore,
    wise_domain,
    wise_weights,
)
from services.trainer.benchmarks.scoring import counts, grouped_line, line
from services.trainer.benchmarks.structure import follows
from services.trainer.benchmarks.ueval import TASKS, UEval
from services.trainer.benchmarks.wise import Wise
from tests.fakes.judges import Answers, text_of
from tests.unit.services.trainer.benchmarks.conftest import Make, draw

MARKS_0_10 = st.floats(0, 10)


def wise(tmp_path: Path, edition: WiseEdition = WiseEdition.LEGACY) -> Wise:
    (tmp_path / "wise.json").write_text('[{"prompt_id": 1, "Prompt": "p", "Explanation": "e"}]')
    return Wise(tmp_path / "wise.json", edition)


def rise(tmp_path: Path) -> Rise:
    draw(tmp_path / "1.png")
    row = {"index": "c_1", "category": "causal_reasoning", "instruction": "Wait.",
           "image": "1.png", "reference": "done"}  # fmt: skip
    (tmp_path / "data.json").write_text(json.dumps([row]))
    return Rise(tmp_path / "data.json")


def ueval(tmp_path: Path) -> UEval:
    row = {"id": "1", "prompt": "why?", "task": "art", "text_rubrics": ["a"],
           "image_rubrics": ["b"]}  # fmt: skip
    (tmp_path / "ueval.json").write_text(json.dumps([row]))
    return UEval(tmp_path / "ueval.json")


def comm(tmp_path: Path) -> CoMM:
    steps = [[{"type": "text", "content": "Cut."}, {"type": "image", "image_path": "1.jpg"}]]
    (tmp_path / "docs.json").write_text(json.dumps([{"data_id": "d", "step_info": steps}]))
    return CoMM(tmp_path / "docs.json")


def opening(tmp_path: Path) -> Opening:
    row = {"total_uid": "0101001", "meta_task_name": "A", "subtask_name": "s",
           "conversations": [{"input": [{"text": "go", "image": None}]}]}  # fmt: skip
    (tmp_path / "test_data.jsonl").write_text(json.dumps(row))
    return Opening(tmp_path)


def scored(group: str, number: int, **values: float) -> ItemScore:
    return ItemScore(item_id=f"{group}{number}", group=group, values=values)


def means(lines: Sequence[Line]) -> dict[str, float | None]:
    return {row.name: row.mean for row in lines}


# Reports by hand


@pytest.mark.parametrize("edition", list(WiseEdition))
def test_wise_weighs_every_domain_by_its_share_of_the_ids(edition: WiseEdition) -> None:
    domains = Counter(wise_domain(number, edition) for number in range(1, 1001))
    legacy = (400, 167, 133, 100, 100, 100)
    verified = (400, 120, 120, 120, 120, 120)
    expected = legacy if edition is WiseEdition.LEGACY else verified
    assert tuple(domains[domain] for domain in WISE_DOMAINS) == expected
    weights = wise_weights(edition)
    assert [round(weights[domain] * 1000) for domain in WISE_DOMAINS] == list(expected)


def test_ueval_by_hand_rates_then_items_then_tasks(tmp_path: Path) -> None:
    # Task means 70, 50, then 40 six times; the items are ten, eight of them in two tasks.
    scores = [scored("art", n, item=value) for n, value in enumerate((0.9, 0.8, 0.6, 0.5))]
    scores += [scored("life", n, item=value) for n, value in enumerate((1.0, 0.0))]
    scores += [scored(task, 0, item=0.4) for task in TASKS if task not in {"art", "life"}]
    found = means(ueval(tmp_path).lines(scores))
    assert found["art"] == pytest.approx(70)
    assert found["life"] == pytest.approx(50)
    assert found["mean of tasks"] == pytest.approx((70 + 50 + 6 * 40) / 8)
    assert found["mean of items"] == pytest.approx((280 + 100 + 240) / 12)


def test_rise_by_hand_accuracy_is_a_share_of_items_and_percent_a_mean(tmp_path: Path) -> None:
    scores = [
        scored("temporal_reasoning", 1, accuracy=1.0, percent=100.0, reasoning=5.0),
        scored("temporal_reasoning", 2, accuracy=0.0, percent=70.0, reasoning=3.0),
        scored(LOGICAL, 1, accuracy=0.0, percent=2.5, reasoning=1.0),
        scored("causal_reasoning", 1, accuracy=0.0, percent=0.0),
        scored("causal_reasoning", 2),
    ]
    found = means(rise(tmp_path).lines(scores))
    assert found["accuracy"] == pytest.approx(25), "one of the four that were judged"
    assert found["percent"] == pytest.approx(172.5 / 4)
    assert found["accuracy, temporal_reasoning"] == pytest.approx(50)
    assert found["percent, causal_reasoning"] == 0
    assert found["percent, spatial_reasoning"] is None
    assert found["reasoning"] == pytest.approx(3)


def test_comm_by_hand_task_one_is_in_its_two_marks_only(tmp_path: Path) -> None:
    scores = [
        scored("task1", 1, completeness=9.0, illustration_relevance=3.0),
        scored("task2", 1, style=8.0, illustration_relevance=5.0, mean=6.5),
        scored("task4", 1, style=4.0, completeness=7.0, illustration_relevance=4.0, mean=5.5),
    ]
    found = means(comm(tmp_path).lines(scores))
    assert found["mean of the six (task 2: five)"] == pytest.approx(6)
    assert found["completeness"] == pytest.approx(8)
    assert found["illustration_relevance"] == pytest.approx(4)
    assert found["style"] == pytest.approx(6)
    assert (found["task1"], found["task2"]) == (None, 6.5)


def test_opening_by_hand(tmp_path: Path) -> None:
    scores = [scored("A", 1, mean=6.0, correctness=2.0), scored("A", 2, mean=8.0, correctness=4.0),
              scored("B", 1, mean=1.0, correctness=0.0)]  # fmt: skip
    found = means(opening(tmp_path).lines(scores))
    assert found["mean of the seven"] == pytest.approx(5)
    assert found["correctness"] == pytest.approx(2)
    assert (found["A"], found["B"]) == (pytest.approx(7), 1.0)


# Odd cases


@pytest.mark.parametrize(
    ("marks", "free", "category", "score"),
    [
        ({"reasoning": 1.0, "plausibility": 5.0}, True, "causal_reasoning", 1.0),
        ({"reasoning": 2.0, "plausibility": 1.0}, True, "causal_reasoning", 1.8),
        ({"consistency": 5.0, "reasoning": 1.0}, False, LOGICAL, 1.1),
        ({"consistency": 1.0, "reasoning": 1.0}, False, LOGICAL, 1.0),
        ({"reasoning": 1.0}, True, LOGICAL, 1.0),
        ({"consistency": 5.0, "reasoning": 2.0, "plausibility": 5.0}, False, "x", 3.5),
    ],
)
def test_rise_halves_only_at_a_reasoning_of_one_and_never_below_one(
    marks: dict[str, float | None],
    free: bool,  # noqa: FBT001
    category: str,
    score: float,
) -> None:
    weights = rise_weights(category, consistency_free=free)
    assert rise_item(marks, weights) == pytest.approx(score)


async def test_an_earlier_picture_never_stands_for_a_last_one_that_is_gone(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    engine = Answers(lambda _t, _i: '{"correct": 1, "score": 5}')
    for benchmark in (wise(tmp_path, WiseEdition.VERIFIED), rise(tmp_path)):
        (item,) = benchmark.items()
        got = make(item, 2)
        (folder.item(item.id) / "2.png").unlink()
        score = await benchmark.judged(item, got, folder.pictures(got), Judge(engine))
        assert score.missing_picture
        assert score.values[benchmark.key] == 0
        for writer in (write_wise, write_rise):
            assert writer(folder.results([item]), folder, tmp_path / "layout") == 0
    assert not engine.asked


async def test_a_picture_missing_among_others_is_counted(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    marks = dict.fromkeys((*OPENING_SCORES, *COMM_SCORES), 5) | {"pictures": ["x"]}
    engine = Answers(lambda _t, _i: json.dumps(marks))
    for benchmark in (opening(tmp_path), comm(tmp_path)):
        item = benchmark.items()[-1]
        got = make(item, 2)
        (folder.item(item.id) / "1.png").unlink()
        score = await benchmark.judged(item, got, folder.pictures(got), Judge(engine))
        assert score.missing_picture
        assert score.values["mean"] == pytest.approx(5)


async def test_ueval_says_that_pictures_of_writing_alone_do_not_count(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    benchmark = ueval(tmp_path)
    (item,) = benchmark.items()
    got = make(item)
    engine = Answers(lambda _t, _i: '{"criteria_met": true}')
    await benchmark.judged(item, got, folder.pictures(got), Judge(engine))
    told = ["nothing but writing" in text_of(asked) for asked in engine.asked]
    pictures = [sum(len(message.images) for message in asked) for asked in engine.asked]
    assert sorted(zip(pictures, told, strict=True)) == [(0, False), (1, True)]


@pytest.mark.parametrize(
    ("size", "shown"), [((1024, 512), (768, 384)), ((300, 900), (256, 768)), ((64, 64), (64, 64))]
)
def test_a_judge_is_shown_pictures_of_at_most_768_pixels(
    tmp_path: Path, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    Image.new("RGB", size, "red").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(for_judge(tmp_path / "a.png"))
    with Image.open(tmp_path / "b.png") as image:
        assert image.size == shown


def test_task_one_of_comm_is_scored_though_it_has_no_mean() -> None:
    items = [Item(str(n), "", "task1") for n in range(2)]
    marks = {"completeness": 7.0, "illustration_relevance": 5.0}
    whole = ItemScore(item_id="0", group="task1", values=marks, complete=True)
    failed = ItemScore(item_id="1", group="task1", judge_failures=("texts: too slow",))
    found = counts(items, [whole, failed], "mean")
    assert (found["items not scored"], found["judge failures, too slow"]) == (1, 1)


def test_a_single_value_tells_no_interval() -> None:
    one, two = scored("a", 1, x=1.0), scored("b", 1, x=0.0)
    assert line("x", [one], "x", unit="") == Line(name="x", unit="", n=1, mean=1.0)
    alone = grouped_line("x", [one, two], "x", {"a": 0.5, "b": 0.5}, unit="")
    assert (alone.n, alone.mean, alone.low, alone.high) == (2, 0.5, None, None)
    more = grouped_line("x", [one, one, two, two], "x", {"a": 0.5, "b": 0.5}, unit="")
    assert (more.low, more.high) == (0.5, 0.5)


def test_the_generator_alone_is_asked_for_as_many_pictures_as_the_reference_has(
    tmp_path: Path,
) -> None:
    assert [pictures_like(count) for count in (0, 1, 7, 99)] == [1, 1, 7, 20]
    row = {"total_uid": "0101001", "meta_task_name": "A", "subtask_name": "s", "conversations": [
        {"input": [{"text": "go", "image": None}]},
        {"output": [{"text": "a", "image": "1.jpg"}, {"text": "b", "image": None},
                    {"text": "c", "image": "2.jpg"}]},
    ]}  # fmt: skip
    (tmp_path / "test_data.jsonl").write_text(json.dumps(row))
    assert Opening(tmp_path).items()[0].pictures == 2
    rows = [{"id": str(n), "prompt": "why?", "task": "art", "image_ref": found}
            for n, found in enumerate((["a", "b", "c"], [], None, "a.png"))]  # fmt: skip
    (tmp_path / "ueval.json").write_text(json.dumps(rows))
    assert [item.pictures for item in UEval(tmp_path / "ueval.json").items()] == [3, 1, 1, 1]
    assert [item.pictures for item in comm(tmp_path).items()] == [1, 1]


# What always holds


@given(st.permutations(COMM_SCORES), st.lists(MARKS_0_10, min_size=6, max_size=6))
def test_a_mean_of_marks_lies_among_them_and_knows_no_order(
    order: list[str], values: list[float]
) -> None:
    marks: dict[str, float | None] = dict(zip(COMM_SCORES, values, strict=True))
    found = mean_of_all(marks, COMM_SCORES)
    assert found is not None
    assert min(values) - 1e-9 <= found <= max(values) + 1e-9
    assert mean_of_all({name: marks[name] for name in order}, order) == pytest.approx(found)
    assert mean_of_all(marks | {order[0]: None}, COMM_SCORES) is None


@given(st.lists(st.integers(0, 2), min_size=3, max_size=3), st.integers(0, 2))
def test_one_more_on_any_wise_mark_raises_the_score(marks: list[int], at: int) -> None:
    better = [mark + (place == at) for place, mark in enumerate(marks)]
    assert wiscore(*better) > wiscore(*marks)


@given(MARKS_0_10, MARKS_0_10, MARKS_0_10, MARKS_0_10, st.floats(0, 5))
def test_viescore_never_falls_when_a_mark_rises(
    success: float, restraint: float, naturalness: float, artefacts: float, more: float
) -> None:
    quality = viescore_quality(naturalness, artefacts)
    low = viescore_overall(viescore_semantics(success, restraint), quality)
    high = viescore_overall(viescore_semantics(success + more, restraint), quality)
    assert 0 <= low <= high <= 10 + 1e-9
    assert viescore_semantics(success, restraint) <= viescore_semantics(success)


@given(
    st.sampled_from(CATEGORIES),
    st.booleans(),
    st.dictionaries(
        st.sampled_from(["consistency", "reasoning", "plausibility"]), st.integers(1, 5)
    ),
)
def test_rise_is_known_exactly_when_all_that_applies_was_judged(
    category: str,
    free: bool,  # noqa: FBT001
    marks: dict[str, int],
) -> None:
    weights = rise_weights(category, consistency_free=free)
    whole = set(weights) <= set(marks)
    found: dict[str, float | None] = {name: float(mark) for name, mark in marks.items()}
    assert (rise_item(found, weights) is not None) == whole
    assert (rise_accurate(found, weights) is not None) == whole


@settings(max_examples=15)
@given(data=st.data())
@pytest.mark.parametrize("build", [ueval, wise, rise, comm, opening])
def test_no_report_knows_the_order_of_its_items(
    build: Callable[[Path], Judged], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    benchmark = build(tmp_path_factory.mktemp("b"))
    groups = {"ueval": TASKS, "wise-legacy": WISE_DOMAINS, "rise": CATEGORIES}.get(
        benchmark.name, ("a", "b")
    )
    values = st.dictionaries(
        st.sampled_from([benchmark.key, "text", "percent", "style"]), st.floats(0, 1), max_size=4
    )
    drawn = data.draw(st.lists(st.tuples(st.sampled_from(groups), values), max_size=12))
    scores = [scored(group, n, **found) for n, (group, found) in enumerate(drawn)]
    shuffled = list(scores)
    data.draw(st.randoms(use_true_random=False)).shuffle(shuffled)
    one, other = benchmark.lines(scores), benchmark.lines(shuffled)
    assert [(row.name, row.n) for row in one] == [(row.name, row.n) for row in other]
    for row, again in zip(one, other, strict=True):
        assert row.mean == (None if again.mean is None else pytest.approx(again.mean))
        assert row.low is None or row.high is None or row.low <= row.high


@given(st.lists(st.sampled_from(["text", "image"]), min_size=1, max_size=3), st.integers(1, 6))
def test_an_order_of_parts_is_followed_only_if_whole_and_often_enough(
    unit: list[str], times: int
) -> None:
    shown = unit * times
    assert follows(shown, unit, times=times)
    assert follows(shown, unit, times=None)
    assert not follows(shown, unit, times=times + 1)
    assert not follows([*shown, "other"], unit, times=None)
    assert not follows([], unit, times=None)
