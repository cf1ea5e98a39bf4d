"""Verdicts: read whole, and as early as they can be known."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.prompts.critic import (
    UnparsableVerdictError,
    VerdictDraft,
    VerdictStream,
    parse_verdict,
)

PROMPTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda text: bool(text.strip()) and "<" not in text
)


@given(st.booleans(), PROMPTS)
def test_a_verdict_is_read_back_from_json_and_from_python(success: bool, prompt: str) -> None:  # noqa: FBT001
    value = {"previous_step_success": success, "refine_prompt": prompt.strip()}
    expected = VerdictDraft(success, prompt.strip(), "looked")
    for text in (json.dumps(value), repr(value)):
        assert parse_verdict(f"<think>looked</think><answer>{text}</answer>") == expected


@given(st.text(max_size=300) | st.text("{}'\":, previous_step_success truefalse", max_size=200))
def test_any_text_gives_a_verdict_or_the_typed_error(reply: str) -> None:
    try:
        draft = parse_verdict(reply)
    except UnparsableVerdictError:
        return
    assert draft.previous_step_success or draft.refine_prompt


@given(st.lists(st.text(max_size=20), max_size=8))
def test_a_stream_of_anything_never_fails(chunks: list[str]) -> None:
    stream = VerdictStream()
    for chunk in chunks:
        assert stream.feed(chunk) in {None, True, False}
    assert stream.text == "".join(chunks)


def test_a_failure_without_a_new_prompt_is_refused() -> None:
    with pytest.raises(UnparsableVerdictError, match="no refine_prompt"):
        parse_verdict('{"previous_step_success": false, "refine_prompt": ""}')


def test_a_success_cut_short_still_counts() -> None:
    draft = parse_verdict('<answer>{"previous_step_success": true, "refine_prompt": "add a c')
    assert draft == VerdictDraft(previous_step_success=True, refine_prompt="")


def test_a_failure_cut_short_does_not() -> None:
    with pytest.raises(UnparsableVerdictError):
        parse_verdict('<answer>{"previous_step_success": false, "refine_prompt": "add a c')


def test_the_verdict_is_known_before_the_prompt_is_repeated() -> None:
    stream = VerdictStream()
    assert stream.feed("<think>all is") is None
    assert stream.feed(' well</think><answer>{"previous_step_success": tr') is None
    assert stream.feed('ue, "ref') is True
    assert stream.thought == "all is well"


def test_a_verdict_inside_the_thought_is_not_believed() -> None:
    stream = VerdictStream()
    assert stream.feed('<think>if "previous_step_success": true, then') is None
    assert stream.feed("</think>{'previous_step_success': False,") is False
