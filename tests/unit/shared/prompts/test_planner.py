"""Plans: read from whatever a model writes, streamed, checked."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.plans import PlanStep
from shared.prompts.planner import (
    InvalidPlanError,
    PlanFacts,
    PlanStream,
    UnparsablePlanError,
    parse_plan,
    plan_faults,
    validate_plan,
)

_NOTHING = {"null", "none", "n/a"}
TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40
).filter(lambda text: bool(text.strip()) and text.strip().lower() not in _NOTHING
         and not {"<answer>", "</answer>", "<think>", "</think>"} & {text})  # fmt: skip
STEPS = st.lists(
    st.tuples(TEXTS, TEXTS, st.none() | TEXTS, st.none() | TEXTS), min_size=1, max_size=6
).map(
    lambda rows: tuple(
        PlanStep(step_number=n, step_name=name.strip(), instruction=text.strip(),
                 prompt=prompt.strip() if prompt else None,
                 auxiliary_text=more.strip() if more else None)
        for n, (name, text, prompt, more) in enumerate(rows, 1)
    )
)  # fmt: skip
REPLY = (
    "<think>a draft: {'execution_plan': []}</think><answer>{'execution_plan': ["
    "{'step_number': 1, 'step_name': 'Dog', 'instruction': \"it's a dog\", "
    "'prompt': 'a \"red\" dog', 'auxiliary_text': None,}, "
    "{'step_number': 2, 'step_name': 'Cat', 'instruction': 'add it', 'prompt': 'add a cat', "
    "'auxiliary_text': None}]}</answer>"
)


def _as_dict(steps: tuple[PlanStep, ...]) -> dict[str, list[dict[str, object]]]:
    return {"execution_plan": [step.model_dump() for step in steps]}


@given(STEPS)
def test_a_plan_written_as_json_is_read_back(steps: tuple[PlanStep, ...]) -> None:
    reply = f"<think>so</think><answer>{json.dumps(_as_dict(steps))}</answer>"
    assert parse_plan(reply) == steps


@given(STEPS)
def test_a_plan_written_as_a_python_dict_is_read_back(steps: tuple[PlanStep, ...]) -> None:
    assert parse_plan(f"<answer>{_as_dict(steps)!r}</answer>") == steps


@given(st.text(max_size=300) | st.text("{}[]'\",:<>/answerthink \\1", max_size=300))
def test_any_text_gives_a_plan_or_the_typed_error(reply: str) -> None:
    try:
        steps = parse_plan(reply)
    except UnparsablePlanError:
        return
    assert steps


@given(st.text(max_size=200), st.text("{}[]'\",:execution_plan ", max_size=200))
def test_a_stream_of_anything_never_fails(first: str, second: str) -> None:
    stream = PlanStream()
    for chunk in (first, '{"execution_plan": [', second):
        stream.feed(chunk)
    assert stream.text == first + '{"execution_plan": [' + second


def test_quotes_none_and_trailing_commas_are_repaired() -> None:
    first, second = parse_plan(REPLY)
    assert first.instruction == "it's a dog"
    assert first.prompt == 'a "red" dog'
    assert first.auxiliary_text is None
    assert second.prompt == "add a cat"


@pytest.mark.parametrize("reply", ["", "no plan", "{}", "[]", '{"execution_plan": []}', "[" * 9999])
def test_a_reply_without_plan_is_refused(reply: str) -> None:
    with pytest.raises(UnparsablePlanError):
        parse_plan(reply)


def test_a_step_cut_off_in_the_middle_is_left_out() -> None:
    assert [step.step_number for step in parse_plan(REPLY[:-80])] == [1]


def test_a_reply_without_answer_tags_is_tried_whole() -> None:
    assert parse_plan(REPLY.replace("<answer>", "").replace("</answer>", "")) == parse_plan(REPLY)


@pytest.mark.parametrize("size", [1, 3, 7, 50, 1000])
def test_streamed_steps_equal_the_whole_plan_however_it_is_cut(size: int) -> None:
    stream = PlanStream()
    pieces = [REPLY[start : start + size] for start in range(0, len(REPLY), size)]
    steps = [step for piece in pieces for step in stream.feed(piece)]
    assert tuple(steps) == parse_plan(REPLY)


def test_a_step_arrives_the_moment_its_object_closes() -> None:
    stream = PlanStream()
    end = REPLY.index("}, {") + 1
    assert stream.feed(REPLY[: end - 1]) == []
    assert [step.step_number for step in stream.feed(REPLY[end - 1 : end])] == [1]


def test_a_draft_in_the_thought_is_not_taken_for_the_plan() -> None:
    stream = PlanStream()
    draft = '<think>{"execution_plan": [{"step_number": 9, "prompt": "no"}]}'
    assert stream.feed(draft) == []
    assert [s.step_number for s in stream.feed("</think>" + REPLY.partition("</think>")[2])] == [
        1,
        2,
    ]


def _step(number: int, **fields: str | None) -> PlanStep:
    return PlanStep.model_validate(
        {"step_number": number, "instruction": "i", "prompt": "p", **fields}
    )


def test_a_good_narrative_plan_has_no_faults() -> None:
    validate_plan([_step(1), _step(2)], PlanFacts(steps=2))


@pytest.mark.parametrize(
    ("steps", "facts", "words"),
    [
        ([], PlanFacts(), "no steps"),
        ([_step(1), _step(3)], PlanFacts(), "not consecutive"),
        ([_step(2)], PlanFacts(), "starts at step 1"),
        ([_step(1)], PlanFacts(steps=2), "2 steps were asked for"),
        ([_step(1), _step(2)], PlanFacts(max_steps=1), "at most 1"),
        ([_step(1, prompt=None)], PlanFacts(), "step 1 has no prompt"),
        ([_step(3), _step(4, prompt=None)], PlanFacts(image_count=2), "step 4 has no prompt"),
        ([_step(1, prompt=None)], PlanFacts(image_count=1), "neither prompt nor text"),
        ([_step(1, prompt="x" * 9000)], PlanFacts(), "too long"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named(steps: list[PlanStep], facts: PlanFacts, words: str) -> None:
    assert any(words in fault for fault in plan_faults(steps, facts))
    with pytest.raises(InvalidPlanError, match=words):
        validate_plan(steps, facts)


def test_words_about_given_pictures_and_going_on_from_them_are_both_valid() -> None:
    words = [_step(n, instruction=None, prompt=None, auxiliary_text="a cat") for n in (1, 2)]
    assert plan_faults(words, PlanFacts(image_count=2)) == ()
    assert plan_faults([_step(3), _step(4)], PlanFacts(image_count=2)) == ()
