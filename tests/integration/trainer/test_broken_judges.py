"""Scoring a benchmark with judges that break while they are asked, over real connections."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest
from PIL import Image

from services.trainer.benchmarks.evaluation import Judged, judge_items
from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.judge import Judge
from services.trainer.benchmarks.records import Item, Produced, ProducedPart, Report
from services.trainer.benchmarks.report import load_scores
from services.trainer.benchmarks.rise import Rise
from services.trainer.benchmarks.scores import WiseEdition
from services.trainer.benchmarks.ueval import UEval
from services.trainer.benchmarks.wise import Wise
from shared.llm.openai_chat import OpenAIChatEngine, OpenAISettings
from tests.fakes.judge_servers import JudgeServer, Manner, judging

_ITEMS = 6
_GOOD_FOR = 4
_KINDS = {
    Manner.WITHOUT_JSON: "unreadable",
    Manner.BEYOND_THE_SCALE: "unreadable",
    Manner.HALF_A_CHARACTER: None,
    Manner.DEEP: "unreadable",
    Manner.ODD_PIECES: "unreadable",
    Manner.DEEP_EVENT: "unreadable",
    Manner.NO_CHAT: "unreadable",
    Manner.FAILING: "unreachable",
    Manner.REFUSING: "refused",
    Manner.BROKEN_OFF: "unreadable",
    Manner.SILENT: "too slow",
    Manner.TRICKLING: "too slow",
}
"""How each is counted; half a character beside good marks is no failure."""
_PATIENCE_S = {Manner.SILENT: 1.5, Manner.TRICKLING: 1.5}
"""How long an answer may take; the others need none, however busy the machine is."""


def _wise(root: Path) -> Judged:
    rows = [{"prompt_id": n, "Prompt": f"p {n}", "Explanation": f"e {n}"}
            for n in range(1, _ITEMS + 1)]  # fmt: skip
    (root / "wise.json").write_text(json.dumps(rows))
    return Wise(root / "wise.json", WiseEdition.VERIFIED)


def _rise(root: Path) -> Judged:
    Image.new("RGB", (16, 16), "blue").save(root / "in.png")
    rows = [
        {"index": f"c_{n}", "category": "causal_reasoning", "instruction": f"wait {n}",
         "image": "in.png", "reference": "done"}
        for n in range(_ITEMS)
    ]  # fmt: skip
    (root / "data.json").write_text(json.dumps(rows))
    return Rise(root / "data.json")


def _ueval(root: Path) -> Judged:
    rows = [{"id": str(n), "prompt": f"why {n}?", "task": "art", "text_rubrics": ["a", "b"],
             "image_rubrics": ["c"]} for n in range(_ITEMS)]  # fmt: skip
    (root / "ueval.json").write_text(json.dumps(rows))
    return UEval(root / "ueval.json")


def _ran(items: tuple[Item, ...], root: Path) -> ResultsFolder:
    """A folder as a run leaves it, with a text and a picture for each item."""
    folder = ResultsFolder(root)
    for number, item in enumerate(items):
        home = folder.item(item.id)
        home.mkdir(parents=True)
        Image.new("RGB", (16, 16), (number, 0, 0)).save(home / "1.png")
        parts = (
            ProducedPart(type="text", step=1, text=f"text {number}"),
            ProducedPart(type="image", step=1, file="1.png"),
        )
        folder.save(Produced(item_id=item.id, status="succeeded", parts=parts))
    return folder


async def _scored(
    benchmark: Judged,
    folder: ResultsFolder,
    server: JudgeServer,
    give_up_after: int | None = None,
) -> tuple[Report, Judge]:
    settings = OpenAISettings(server.url, "judge")
    async with aclosing(OpenAIChatEngine(settings)) as engine:
        judge = Judge(
            engine,
            cache=folder.root / "judge",
            tries=1 if server.manner in _PATIENCE_S else 2,
            concurrency=1,
            pause_s=0.01,
            limit_s=_PATIENCE_S.get(server.manner, 60.0),
            give_up_after=give_up_after,
        )
        items = benchmark.items()
        report = await judge_items(benchmark, items, folder, judge=judge, system="full")
    return report, judge


async def _with_a_good_judge(benchmark: Judged, root: Path) -> Report:
    with judging() as server:
        report, _ = await _scored(benchmark, _ran(benchmark.items(), root), server)
    return report


def test_every_manner_is_tried() -> None:
    assert set(_KINDS) == set(Manner) - {Manner.GOOD}


@pytest.mark.parametrize("manner", _KINDS)
async def test_a_judge_that_breaks_is_counted_and_only_what_is_missing_is_asked_again(
    manner: Manner, tmp_path: Path
) -> None:
    benchmark, kind = _wise(tmp_path), _KINDS[manner]
    folder = _ran(benchmark.items(), tmp_path / "run")
    broken = _ITEMS - _GOOD_FOR if kind else 0
    with judging(manner, good_for=_GOOD_FOR) as server:
        report, _ = await _scored(benchmark, folder, server)
        assert report.counts["items not scored"] == report.counts["judge failures"] == broken
        assert report.counts.get(f"judge failures, {kind}", 0) == broken
        values = [score.values for score in load_scores(folder.root)]
        assert values == [{"score": 1.0}] * (_ITEMS - broken) + [{}] * broken, "nothing is guessed"

        server.manner, before = Manner.GOOD, server.questions
        again, judge = await _scored(benchmark, folder, server)

    assert server.questions - before == judge.answered == broken
    assert judge.kept == _ITEMS - broken
    assert again == await _with_a_good_judge(benchmark, tmp_path / "good")


@pytest.mark.parametrize("build", [_rise, _ueval])
async def test_an_item_judged_in_part_has_no_score_until_the_rest_is_answered(
    build: Callable[[Path], Judged], tmp_path: Path
) -> None:
    benchmark = build(tmp_path)
    folder = _ran(benchmark.items(), tmp_path / "run")
    with judging(Manner.FAILING, good_for=4) as server:
        report, judge = await _scored(benchmark, folder, server)
        assert (judge.answered, report.counts["judge failures"]) == (4, 3 * _ITEMS - 4)
        scored = [score for score in load_scores(folder.root) if benchmark.key in score.values]
        assert len(scored) == _ITEMS - report.counts["items not scored"] <= 1

        server.manner = Manner.GOOD
        again, judge = await _scored(benchmark, folder, server)
    assert (judge.answered, judge.kept) == (3 * _ITEMS - 4, 4)
    assert again == await _with_a_good_judge(benchmark, tmp_path / "good")


async def test_a_judge_that_is_gone_is_not_asked_for_every_item(tmp_path: Path) -> None:
    benchmark = _wise(tmp_path)
    folder = _ran(benchmark.items(), tmp_path / "run")
    with judging(Manner.FAILING, good_for=1) as server:
        report, judge = await _scored(benchmark, folder, server, give_up_after=2)
    assert judge.gone
    assert server.questions == 1 + 2 * 2, "two tries of two questions"
    assert report.counts["judge failures, unreachable"] == 2
    assert report.counts["judge failures, not asked"] == 3
    assert report.counts["items not scored"] == 5
