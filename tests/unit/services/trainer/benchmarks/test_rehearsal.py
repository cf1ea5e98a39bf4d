from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from services.trainer.benchmarks.comm import CoMM
from services.trainer.benchmarks.evaluation import Judged
from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.judge import Judge
from services.trainer.benchmarks.opening import Opening
from services.trainer.benchmarks.records import Item, Produced, ProducedPart
from services.trainer.benchmarks.rehearsal.judge import LookingJudge, RubbishNowAndThen
from services.trainer.benchmarks.rehearsal.samples import write_samples
from services.trainer.benchmarks.rise import Rise
from services.trainer.benchmarks.scores import WiseEdition
from services.trainer.benchmarks.ueval import UEval
from services.trainer.benchmarks.wise import Wise
from services.trainer.sketchbook.captions import read_sentence
from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.world import PLACES, Scene
from shared.llm.engine import ChatMessage, TextPart
from tests.fakes.judges import Looks
from tests.unit.services.trainer.benchmarks.conftest import draw


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("samples")
    write_samples(root)
    return root


def _answered(folder: ResultsFolder, item: Item, picture: Path, *texts: str) -> Produced:
    """The item answered by texts and a copy of the picture."""
    path = folder.item(item.id) / "1.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(picture) as image:
        image.save(path)
    parts = [ProducedPart(type="text", step=1, text=text) for text in texts]
    parts.append(ProducedPart(type="image", step=1, file="1.png"))
    return Produced(item_id=item.id, status="succeeded", parts=tuple(parts))


def test_every_benchmark_reads_its_copy(samples: Path) -> None:
    read: list[tuple[Judged, int]] = [
        (UEval(samples / "UEval"), 8),
        (Wise(samples / "WISE", WiseEdition.LEGACY), 7),
        (Wise(samples / "WISE", WiseEdition.VERIFIED), 7),
        (Rise(samples / "RISEBench"), 4),
        (CoMM(samples / "CoMM"), 4),
        (Opening(samples / "OpenING"), 4),
    ]
    for benchmark, count in read:
        assert len(benchmark.items()) == count
        assert not any(item.missing_fields for item in benchmark.items())


async def test_the_reference_picture_itself_is_right_and_another_wrong(
    samples: Path, folder: ResultsFolder
) -> None:
    benchmark = Rise(samples / "RISEBench")
    judge = Judge(Looks(LookingJudge()))
    item = next(item for item in benchmark.items() if item.group == "spatial_reasoning")
    right = samples / "RISEBench" / "data" / "spatial_reasoning_images" / "1_ref.png"
    for picture, reasoning in ((right, 5.0), (draw(folder.root / "red.png"), 1.0)):
        got = _answered(folder, item, picture)
        score = await benchmark.judged(item, got, folder.pictures(got), judge)
        assert score.values["reasoning"] == reasoning
        assert not score.judge_failures


async def test_a_picture_of_what_is_meant_is_right(
    samples: Path, folder: ResultsFolder, tmp_path: Path
) -> None:
    benchmark = Wise(samples / "WISE", WiseEdition.VERIFIED)
    first, other = benchmark.items()[:2]
    picture = tmp_path / "meant.png"
    Image.fromarray(render(_scene_of(first.text("explanation")))).save(picture)
    judge = Judge(Looks(LookingJudge()))
    marks: list[float] = []
    for item in (first, other):
        got = _answered(folder, item, picture)
        score = await benchmark.judged(item, got, folder.pictures(got), judge)
        marks.append(score.values["score"])
    assert marks == [1.0, 0.0]


def _scene_of(sentence: str) -> Scene:
    background, items = read_sentence(sentence)
    return Scene.of(background, dict(zip(PLACES, items.elements(), strict=False)))


async def test_pictures_without_a_word_show_nothing_that_was_said(
    samples: Path, folder: ResultsFolder
) -> None:
    benchmark = CoMM(samples / "CoMM")
    item = next(item for item in benchmark.items() if item.group == "task4")
    picture = samples / "CoMM" / "images" / "1" / "1.jpg"
    got = _answered(folder, item, picture)
    score = await benchmark.judged(item, got, folder.pictures(got), Judge(Looks(LookingJudge())))
    assert score.values["illustration_relevance"] == 0
    assert score.values["completeness"] == 5
    assert not score.judge_failures


def test_a_share_of_the_questions_gets_rubbish_the_same_each_time() -> None:
    class Says:
        def answer(self, messages: list[ChatMessage]) -> str:
            return json.dumps(len(messages))

    asked = [[ChatMessage("user", (TextPart(str(n)),))] for n in range(400)]
    judge = RubbishNowAndThen(Says(), 0.3)
    answers = [judge.answer(messages) for messages in asked]
    assert 80 < sum(answer != "1" for answer in answers) < 160
    assert answers == [judge.answer(messages) for messages in asked]
    assert {RubbishNowAndThen(Says(), 0.0).answer(messages) for messages in asked} == {"1"}
