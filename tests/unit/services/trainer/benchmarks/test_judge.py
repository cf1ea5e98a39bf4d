from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from services.trainer.benchmarks.judge import (
    FailureKind,
    Judge,
    JudgeFailure,
    Question,
    json_objects,
    question_digest,
    read_reply,
)
from shared.llm.engine import ImagePart, TextPart
from tests.fakes.judges import Answers, Refuses, RubbishAtFirst, UnavailableAtFirst

QUESTION = Question("Judge.", (TextPart("this"), ImagePart(b"png")))
GOOD = '{"score": 4}'


def files_below(folder: Path) -> list[Path]:
    return list(folder.rglob("*.txt"))


class Mark(BaseModel):
    score: int = Field(ge=1, le=5)


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
