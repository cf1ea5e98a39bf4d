from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from services.trainer.benchmarks.evaluation import chosen, compare
from services.trainer.benchmarks.folder import ResultsFolder, ResultsFolderError
from services.trainer.benchmarks.judge import Judge, Question
from services.trainer.benchmarks.options import JudgeChoices
from services.trainer.benchmarks.pages import PER_PAGE, Run, write_pages
from services.trainer.benchmarks.plots import PlotError, plot
from services.trainer.benchmarks.records import Item, ItemScore, Line, Report
from services.trainer.benchmarks.report import as_csv, cell, load, markdown, save
from services.trainer.benchmarks.run import Progress
from services.trainer.benchmarks.scores import WiseEdition
from services.trainer.benchmarks.scoring import counts, grouped_line, line
from services.trainer.benchmarks.session import Session, asked, judged, told
from services.trainer.benchmarks.wise import VerifiedMark, Wise
from shared.llm.engine import TextPart
from tests.fakes.judges import RubbishAtFirst
from tests.unit.services.trainer.benchmarks.conftest import Failing, Make

GOAL = Line(name="goal", unit="%", n=4, mean=50.0, low=25.0, high=75.0, headline=True)
EMPTY = Line(name="steps", unit="%")


def made(system: str, *lines: Line) -> Report:
    return Report(
        benchmark="b", system=system, judge="j", lines=lines, counts={"items": 4, "not run": 1},
        deviations=("our own words",),
    )  # fmt: skip


def test_a_table_puts_systems_side_by_side_with_counts_and_deviations() -> None:
    table = markdown([made("generator", GOAL), made("full", GOAL, EMPTY)])
    assert "| **goal** | % | 50 [25, 75] (n 4) | 50 [25, 75] (n 4) |" in table
    assert "| steps | % | - | - |" in table
    assert "| not run | 1 | 1 |" in table
    assert table.count("our own words") == 1


def test_a_line_without_a_mean_shows_what_there_is() -> None:
    assert cell(None) == "-"
    assert cell(Line(name="x", unit="%", n=3)) == "- (n 3)"


def test_csv_has_a_row_per_line_and_system() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv([made("a", GOAL), made("b", GOAL, EMPTY)]))))
    assert [(row["system"], row["name"], row["mean"]) for row in rows] == [
        ("a", "goal", "50.0"), ("b", "goal", "50.0"), ("b", "steps", ""),
    ]  # fmt: skip


def test_a_saved_report_reads_back(tmp_path: Path) -> None:
    report = made("full", GOAL)
    save(report, [ItemScore(item_id="1", group="g", values={"goal": 1.0})], tmp_path)
    assert load(tmp_path) == report
    with pytest.raises(ResultsFolderError, match="score it first"):
        load(tmp_path / "elsewhere")


def test_what_was_left_out_is_counted_by_its_reason() -> None:
    items = [Item(str(n), "", "g") for n in range(5)]
    scores = [
        ItemScore(item_id="0", group="g", values={"goal": 1.0}, missing_fields=("subtask",)),
        ItemScore(item_id="1", group="g", values={"goal": 0.0}, run_failed=True,
                  missing_picture=True, missing_fields=("subtask",)),
        ItemScore(item_id="2", group="g", judge_failures=("a: unreadable", "b: refused")),
    ]  # fmt: skip
    assert counts(items, scores, "goal") == {
        "items": 5, "not run": 2, "run failed": 1, "missing pictures": 1, "judge failures": 2,
        "judge failures, refused": 1, "judge failures, unreadable": 1,
        "items not scored": 1, "missing field subtask": 2,
    }  # fmt: skip


def test_lines_take_only_items_that_have_the_value() -> None:
    scores = [ItemScore(item_id="0", group="a", values={"x": 1.0}),
              ItemScore(item_id="1", group="b", values={"x": 0.0}),
              ItemScore(item_id="2", group="b")]  # fmt: skip
    found = line("x", scores, "x", unit="%", scale=100)
    assert (found.n, found.mean) == (2, 50)
    assert grouped_line("x", scores, "x", {"a": 0.9, "b": 0.1}, unit="").mean == pytest.approx(0.9)
    assert grouped_line("x", scores, "x", {"a": 0.9, "c": 0.1}, unit="").mean is None


def test_a_limited_choice_is_always_the_same_and_mixed() -> None:
    items = [Item(f"{group}{n}", "", group) for group in "abc" for n in range(30)]
    few = chosen(items, 15)
    assert few == chosen(items, 15)
    assert len(few) == 15
    assert {item.group for item in few} == set("abc")
    assert chosen(items, None) == tuple(items)


def test_pages_show_runs_beside_each_other_and_escape_every_text(
    tmp_path: Path, folder: ResultsFolder, make: Make, nothing: Failing
) -> None:
    items = [Item(f"<b>{n}", "<script>alert(1)</script>", "g") for n in range(PER_PAGE + 1)]
    make(items[0], 2, text="<i>Step")
    (folder.item(items[0].id) / "2.png").unlink()
    for item in items[1:]:
        nothing(item)
    other = ResultsFolder(tmp_path / "other")
    score = ItemScore(item_id=items[0].id, group="g", values={"goal": 1.0})
    runs = [Run("generator", other), Run("full", folder, {score.item_id: score})]
    first, second = write_pages(items, runs, tmp_path / "pages")
    html = first.read_text()
    assert "<script>" not in html
    assert "<i>" not in html
    assert "goal 1" in html
    assert "not run" in html
    assert "plan_unusable" in html
    assert "picture 2 is missing" in html
    link = html.split('src="')[1].split('"')[0]
    assert link.startswith("../run/items/")
    assert second.exists()


def test_a_plot_is_made_of_what_has_a_mean(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot([made("a", GOAL), made("b", GOAL, EMPTY)], tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(PlotError):
        plot([made("a", EMPTY)], tmp_path / "none.png")


def test_comparing_writes_table_plot_and_pages(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    pytest.importorskip("matplotlib")
    item = Item("1", "p", "g")
    make(item)
    save(made("full", GOAL), [], folder.root)
    table = compare([item], [folder, folder], tmp_path / "out")
    assert "50 [25, 75]" in table
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"table.md", "table.csv", "plot.png", "page-1.html"}


def test_progress_tells_time_and_cost_to_come() -> None:
    progress = Progress(total=10, kept=2, done=4, failed=1, elapsed_s=120, generator_calls=12)
    assert told(progress, 0.5) == (
        "6/10 items, 1 failed, about 2.0 min and 12 generator calls to come (cost 6.00)"
    )
    begun = Progress(total=10, kept=2, done=0, failed=0, elapsed_s=0, generator_calls=0)
    assert told(begun, 0.5) == "2/10 items, 0 failed"


async def test_progress_of_judging_tells_time_to_come() -> None:
    judge = Judge(RubbishAtFirst(1, '{"correct": 1}'), tries=1)
    assert asked(judge, 10, 0.0) == "0 of at most 10 questions judged, 0 without an answer"
    for text in "ab":
        await judge.ask(Question("Judge.", (TextPart(text),)), VerifiedMark)
    assert asked(judge, 10, 60.0) == (
        "2 of at most 10 questions judged, 1 without an answer, about 4.0 min to come"
    )
    assert judged(judge) == (
        "Judge: 1 questions answered, 0 answered before; 1 unreadable (no idea {criteria). "
        "The same command asks only what was not answered."
    )


def test_results_are_laid_out_and_the_missing_judge_is_said(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    (tmp_path / "wise.json").write_text(json.dumps([{"prompt_id": 1, "Prompt": "a hen"}]))
    wise = Wise(tmp_path / "wise.json", WiseEdition.VERIFIED)
    make(wise.items()[0])
    out = io.StringIO()
    session = Session(folder, Console(file=out, width=200), limit=None, against=[])
    session.judged(wise, None, None)
    assert (folder.root / "layout" / "1.png").is_file()
    assert "at most 1 questions" in out.getvalue()
    assert "Not scored" in out.getvalue()
    assert JudgeChoices("http://127.0.0.1:1/v1", "m", "", 1, 0.0).engine().model == "m"
