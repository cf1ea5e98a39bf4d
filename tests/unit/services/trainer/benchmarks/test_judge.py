from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from services.trainer.benchmarks.answers import NUMBER, json_objects, read_reply, writable
from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.judge import (
    FailureKind,
    Judge,
    JudgeFailure,
    Question,
    question_digest,
)
from services.trainer.benchmarks.records import Item, ItemScore, Line, Produced
from services.trainer.benchmarks.scoring import score_all
from shared.llm.engine import ImagePart, TextPart
from tests.fakes.judges import Answers, NeverEnds, Refuses, RubbishAtFirst, UnavailableAtFirst
from tests.unit.services.trainer.benchmarks.conftest import Make

QUESTION = Question("Judge.", (TextPart("this"), ImagePart(b"png")))
GOOD = '{"score": 4}'


def files_below(folder: Path) -> list[Path]:
    return list(folder.rglob("*.txt"))


class Mark(BaseModel):
    score: int = Field(ge=1, le=5)


class Counts:
    """A benchmark that only counts how many items are judged at a time."""

    name = "counts"
    deviations = ()

    def __init__(self, items: list[Item]) -> None:
        self._items = tuple(items)
        self._now = 0
        self.most = 0

    def items(self) -> tuple[Item, ...]:
        return self._items

    def judge_calls(self, item: Item) -> int:
        return len(item.images)

    async def judged(
        self, item: Item, produced: Produced, pictures: Sequence[Path], judge: Judge
    ) -> ItemScore:
        assert pictures
        assert judge.model
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0.001)
        self._now -= 1
        return ItemScore(item_id=produced.item_id, group=item.group)

    def lines(self, scores: Sequence[ItemScore]) -> tuple[Line, ...]:
        return (Line(name="x", unit="", n=len(scores)),)


async def test_an_answer_is_read_at_temperature_zero() -> None:
    engine = Answers(lambda _text, _images: f"Well. ```json\n{GOOD}\n```")
    assert await Judge(engine).ask(QUESTION, Mark) == Mark(score=4)
    assert engine.temperatures == {0.0}


async def test_a_judge_that_comes_back_is_asked_again() -> None:
    engine = UnavailableAtFirst(2, GOOD)
    assert await Judge(engine, tries=3, pause_s=0).ask(QUESTION, Mark) == Mark(score=4)


async def test_a_judge_that_stays_away_is_a_failure_after_a_bounded_number_of_tries() -> None:
    engine = UnavailableAtFirst(99, GOOD)
    got = await Judge(engine, tries=3, pause_s=0).ask(QUESTION, Mark)
    assert isinstance(got, JudgeFailure)
    assert got.kind is FailureKind.UNREACHABLE
    assert len(engine.asked) == 3


async def test_rubbish_is_asked_again_and_never_becomes_a_score() -> None:
    assert await Judge(RubbishAtFirst(1, GOOD)).ask(QUESTION, Mark) == Mark(score=4)
    got = await Judge(RubbishAtFirst(99, GOOD), tries=2).ask(QUESTION, Mark)
    assert isinstance(got, JudgeFailure)
    assert got.kind is FailureKind.UNREADABLE


async def test_a_mark_out_of_range_is_rubbish() -> None:
    got = await Judge(Answers(lambda _t, _i: '{"score": 6}'), tries=1).ask(QUESTION, Mark)
    assert isinstance(got, JudgeFailure)


async def test_true_is_no_mark_on_a_scale_and_neither_is_no_number() -> None:
    class Marks(BaseModel):
        whole: Annotated[int, NUMBER, Field(ge=1, le=5)]
        part: Annotated[float, NUMBER, Field(ge=0, le=10)]

    assert read_reply('{"whole": "4", "part": 2}', Marks) == Marks(whole=4, part=2.0)
    for rubbish in ("true, 2", "4, false", "4, NaN", "4, Infinity", "4.5, 2", "null, 2", "6, 2"):
        whole, part = rubbish.split(", ")
        assert read_reply(f'{{"whole": {whole}, "part": {part}}}', Marks) is None


async def test_half_a_character_is_kept_as_a_mark(tmp_path: Path) -> None:
    judge = Judge(Answers(lambda _t, _i: f"\ud83d {GOOD}"), cache=tmp_path)
    assert await judge.ask(QUESTION, Mark) == Mark(score=4)
    (kept,) = files_below(tmp_path)
    assert kept.read_text("utf-8") == f"\ufffd {GOOD}"
    assert writable("\ud83d\ude00") == "\U0001f600", "halves that belong together are joined"


async def test_an_answer_without_end_is_a_failure_in_a_bounded_time() -> None:
    judge = Judge(NeverEnds(), tries=2, pause_s=0, limit_s=0.05)
    got = await judge.ask(QUESTION, Mark)
    assert got == JudgeFailure(FailureKind.TOO_SLOW, "no whole answer within 0.05 s")
    assert judge.calls == 2


async def test_after_so_many_failures_in_a_row_the_judge_is_gone() -> None:
    engine = Refuses()
    judge = Judge(engine, give_up_after=2)
    kinds: list[FailureKind] = []
    for number in range(4):
        got = await judge.ask(Question("Judge.", (TextPart(str(number)),)), Mark)
        assert isinstance(got, JudgeFailure)
        kinds.append(got.kind)
    assert kinds == [FailureKind.REFUSED] * 2 + [FailureKind.NOT_ASKED] * 2
    assert (len(engine.asked), judge.gone, judge.failures.total()) == (2, True, 4)


async def test_an_answer_between_failures_shows_that_the_judge_is_there() -> None:
    answers = Answers(lambda text, _i: GOOD if "good" in text else "rubbish")
    judge = Judge(answers, tries=1, give_up_after=2)
    for text in ("bad", "good", "bad", "good", "bad"):
        await judge.ask(Question("Judge.", (TextPart(text),)), Mark)
    assert not judge.gone
    assert judge.failures == {FailureKind.UNREADABLE: 3}
    assert judge.reasons == {FailureKind.UNREADABLE: "rubbish"}


async def test_few_items_are_judged_at_a_time(folder: ResultsFolder, make: Make) -> None:
    items = [Item(str(n), "p", "g") for n in range(12)]
    for item in items:
        make(item)
    benchmark = Counts(items)
    scores = await score_all(benchmark, items, folder, Judge(Refuses(), concurrency=2))
    assert [score.item_id for score in scores] == [item.id for item in items]
    assert benchmark.most == 4


def test_braces_without_end_are_read_in_no_time() -> None:
    started = time.monotonic()
    for deep in ('{"a":' * 200_000, "{" * 1_000_000, ('{"a":' * 500 + "x") * 400, '{"' * 500_000):
        assert read_reply(deep, Mark) is None
    assert time.monotonic() - started < 10


async def test_a_refusal_is_final() -> None:
    engine = Refuses()
    got = await Judge(engine, tries=3).ask(QUESTION, Mark)
    assert isinstance(got, JudgeFailure)
    assert got.kind is FailureKind.REFUSED
    assert len(engine.asked) == 1


async def test_an_answer_is_kept_and_not_asked_for_again(tmp_path: Path) -> None:
    first = Judge(Answers(lambda _t, _i: GOOD), cache=tmp_path)
    await first.ask(QUESTION, Mark)
    second = Judge(Refuses(), cache=tmp_path)
    assert await second.ask(QUESTION, Mark) == Mark(score=4)
    assert (second.calls, second.kept) == (0, 1)


async def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    await Judge(RubbishAtFirst(9, GOOD), cache=tmp_path, tries=1).ask(QUESTION, Mark)
    assert files_below(tmp_path) == []


def test_model_picture_and_text_all_tell_questions_apart() -> None:
    other_picture = Question("Judge.", (TextPart("this"), ImagePart(b"gnp")))
    split = Question("Judge.", (TextPart("th"), TextPart("is"), ImagePart(b"png")))
    digests = {
        question_digest("a", QUESTION),
        question_digest("b", QUESTION),
        question_digest("a", other_picture),
        question_digest("a", split),
    }
    assert len(digests) == 4


def test_the_last_valid_object_counts() -> None:
    text = 'First I thought {"score": 1}, but {"score": 9} no: {"score": 3}. {broken'
    assert read_reply(text, Mark) == Mark(score=3)


@given(st.text(alphabet='{}[]":,0123456789 score\n'))
def test_reading_is_total(text: str) -> None:
    got = read_reply(text, Mark)
    assert got is None or 1 <= got.score <= 5
    assert all(isinstance(found, dict) for found in json_objects(text))
