from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.judge import Judge
from services.trainer.benchmarks.records import BenchmarkDataError, ItemScore
from services.trainer.benchmarks.scores import WISE_DOMAINS, WiseEdition
from services.trainer.benchmarks.wise import Wise
from tests.fakes.judges import Answers
from tests.unit.services.trainer.benchmarks.conftest import Failing, Make


def bench(tmp_path: Path, edition: WiseEdition, *numbers: int) -> Wise:
    rows = [{"prompt_id": n, "Prompt": f"prompt {n}", "Explanation": "meant", "Category": "c",
             "Subcategory": "s"} for n in numbers]  # fmt: skip
    path = tmp_path / "culture.json"
    path.write_text(json.dumps(rows))
    return Wise(tmp_path, edition)


def test_items_of_a_folder_of_files_know_their_domain(tmp_path: Path) -> None:
    items = bench(tmp_path, WiseEdition.LEGACY, 1, 567, 1000).items()
    assert [item.group for item in items] == ["culture", "time", "chemistry"]
    assert items[0].missing_fields == ()


def test_an_id_outside_the_benchmark_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkDataError, match="1001"):
        bench(tmp_path, WiseEdition.LEGACY, 1001)


async def test_legacy_marks_become_a_wiscore(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    wise = bench(tmp_path, WiseEdition.LEGACY, 1)
    (item,) = wise.items()
    got = make(item, 2)
    engine = Answers(lambda _t, _i: '{"consistency": 2, "realism": 1, "aesthetics": 0}')
    score = await wise.judged(item, got, folder.pictures(got), Judge(engine))
    assert score.values["score"] == pytest.approx(0.8)
    assert sum(len(m.images) for m in engine.asked[0]) == 1, "only the last picture is judged"


async def test_the_verified_edition_is_right_or_wrong(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    wise = bench(tmp_path, WiseEdition.VERIFIED, 1)
    (item,) = wise.items()
    got = make(item)
    judge = Judge(Answers(lambda _t, _i: '{"correct": 1}'))
    assert (await wise.judged(item, got, folder.pictures(got), judge)).values == {"score": 1.0}


async def test_a_missing_picture_is_zero_and_a_judge_failure_nothing(
    tmp_path: Path, folder: ResultsFolder, make: Make, nothing: Failing
) -> None:
    wise = bench(tmp_path, WiseEdition.VERIFIED, 1, 2)
    first, second = wise.items()
    rubbish = Judge(Answers(lambda _t, _i: "3 of 2"), tries=1)
    missing = await wise.judged(first, nothing(first), (), rubbish)
    assert missing.values == {"score": 0.0}
    assert missing.missing_picture
    assert missing.run_failed
    got = make(second)
    failed = await wise.judged(second, got, folder.pictures(got), rubbish)
    assert failed.values == {}
    assert failed.judge_failures == ("picture: unreadable",)


@pytest.mark.parametrize(
    ("edition", "overall"),
    [(WiseEdition.LEGACY, 0.167 + 0.5 * 0.133 + 0.2), (WiseEdition.VERIFIED, 3.5 * 0.12)],
)
def test_overall_weighs_domains_not_items(
    tmp_path: Path, edition: WiseEdition, overall: float
) -> None:
    values = dict(zip(WISE_DOMAINS, (0.0, 1.0, 0.5, 0.0, 1.0, 1.0), strict=True))
    scores = [
        ItemScore(item_id=f"{domain}{n}", group=domain, values={"score": value})
        for domain, value in values.items()
        for n in range(5 if domain == "culture" else 1)
    ]
    lines = {line.name: line for line in bench(tmp_path, edition, 1).lines(scores)}
    assert lines["overall"].mean == pytest.approx(overall)
    assert lines["overall"].headline


def test_a_clone_with_both_editions_and_a_merged_copy_gives_one_of_them(tmp_path: Path) -> None:
    legacy, verified = tmp_path / "WISE_legacy" / "data", tmp_path / "data_verified"
    for home, ending, text in ((legacy, "", "old"), (verified, "_verified", "new")):
        home.mkdir(parents=True)
        rows = [{"prompt_id": 1, "Prompt": text, "Explanation": "e"}]
        (home / f"cultural_common_sense{ending}.json").write_text(json.dumps(rows))
    (legacy / "cultural_common_sense_rewrite.json").write_text('[{"prompt_id": 1, "Prompt": "x"}]')
    (verified / "merge.json").write_text('[{"prompt_id": 1, "Prompt": "x"}]')
    assert [item.prompt for item in Wise(tmp_path, WiseEdition.LEGACY).items()] == ["old"]
    assert [item.prompt for item in Wise(tmp_path, WiseEdition.VERIFIED).items()] == ["new"]


def test_an_id_that_is_there_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkDataError, match="more than once"):
        bench(tmp_path, WiseEdition.LEGACY, 1, 1)
