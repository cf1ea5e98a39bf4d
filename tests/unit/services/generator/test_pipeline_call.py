"""How requests become calls of pipelines with different signatures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from services.generator.backends.pipeline_call import CallTraits, arguments, check, traits_of
from services.generator.notes import NotesError, PipelineNotes, read_notes
from services.generator.ports import DrawRequest
from shared.errors import InvalidRequestError

PICTURE = Image.new("RGB", (64, 64))
NONE = PipelineNotes()


def draws_from_text(
    prompt: str, height: int, width: int, num_inference_steps: int, guidance_scale: float
) -> None: ...


def edits_or_draws(
    *, image: object = None, prompt: str = "", height: int = 0, width: int = 0,
    num_inference_steps: int = 50, guidance_scale: float = 4.0,
) -> None: ...  # fmt: skip


def edits_only(image: object, prompt: str, num_inference_steps: int) -> None: ...


def two_guidances(
    *, image: object = None, prompt: str = "", height: int = 0, width: int = 0,
    true_cfg_scale: float = 4.0, guidance_scale: float | None = None,
) -> None: ...  # fmt: skip


def request(*references: Image.Image, side_px: int = 64, **changes: object) -> DrawRequest:
    fields: dict[str, Any] = {"steps": None, "guidance": None, "seed": 1, "prompt": "a"}
    fields.update(changes)
    return DrawRequest(references=references, width_px=side_px, height_px=side_px, **fields)


def traits(name: str, call: Callable[..., Any], notes: PipelineNotes = NONE) -> CallTraits:
    return traits_of(name, call, notes)


def test_a_text_pipeline_is_asked_by_its_own_names() -> None:
    found = traits("TextPipeline", draws_from_text)
    given = arguments([request(steps=3, guidance=2.5)], found, NONE)
    assert given == {
        "prompt": "a", "num_inference_steps": 3, "width": 64, "height": 64,
        "guidance_scale": 2.5,
    }  # fmt: skip


def test_a_text_pipeline_refuses_references() -> None:
    with pytest.raises(InvalidRequestError, match="text alone"):
        check(request(PICTURE), traits("TextPipeline", draws_from_text))


def test_an_edit_pipeline_refuses_a_request_without_a_picture() -> None:
    with pytest.raises(InvalidRequestError, match="needs a reference"):
        check(request(), traits("EditPipeline", edits_only))


def test_a_pipeline_without_size_draws_only_at_its_references_size() -> None:
    found = traits("EditPipeline", edits_only)
    check(request(PICTURE), found)
    with pytest.raises(InvalidRequestError, match="64 x 64"):
        check(request(PICTURE, side_px=128), found)
    assert "width" not in arguments([request(PICTURE)], found, NONE)


def test_guidance_that_is_not_taken_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="guidance"):
        check(request(PICTURE, guidance=2.0), traits("EditPipeline", edits_only))


def test_the_table_knows_which_guidance_is_meant_and_who_refuses_batches() -> None:
    found = traits("QwenImageEditPlusPipeline", two_guidances)
    assert arguments([request(PICTURE, guidance=3.0)], found, NONE)["true_cfg_scale"] == 3.0
    assert not found.batches
    assert not found.text_to_image
    assert found.max_references == 3


def test_too_many_references_and_impossible_sizes_are_refused() -> None:
    found = traits("AnyPipeline", edits_or_draws)
    check(request(PICTURE), found)
    for wrong in (
        request(PICTURE, PICTURE), request(side_px=72), request(side_px=32),
        request(side_px=4096),
    ):  # fmt: skip
        with pytest.raises(InvalidRequestError):
            check(wrong, found)


def test_a_distilled_pipeline_runs_at_guidance_one_and_refuses_others() -> None:
    found = CallTraits(
        edits=True, text_to_image=True, sized=True, guidance_name="guidance_scale", distilled=True
    )
    assert arguments([request()], found, NONE)["guidance_scale"] == 1.0
    check(request(guidance=1.0), found)
    with pytest.raises(InvalidRequestError, match="distilled"):
        check(request(guidance=4.0), found)


def test_a_batch_lists_prompts_and_references_sample_after_sample() -> None:
    other = Image.new("RGB", (64, 64), "red")
    found = traits("Flux2KleinPipeline", edits_or_draws)
    batch = [request(PICTURE, prompt="a"), request(other, prompt="b")]
    given = arguments(batch, found, NONE)
    assert given["prompt"] == ["a", "b"]
    assert given["image"] == [PICTURE, other]


def test_notes_add_arguments_and_override_the_table(tmp_path: Path) -> None:
    (tmp_path / "interleave.json").write_text(
        '{"call": {"max_sequence_length": 28, "text_encoder_out_layers": [1, 2, 3]},'
        ' "default_steps": 6, "max_references": 2, "side_multiple_px": 32}'
    )
    notes = read_notes(str(tmp_path))
    found = traits("AnyPipeline", edits_or_draws, notes)
    given = arguments([request()], found, notes)
    assert given["max_sequence_length"] == 28
    assert given["text_encoder_out_layers"] == [1, 2, 3]
    assert given["num_inference_steps"] == 6
    check(request(PICTURE, PICTURE), found)
    with pytest.raises(InvalidRequestError, match="32"):
        check(request(side_px=80), found)


def test_a_misspelt_note_is_an_error_and_no_notes_are_none(tmp_path: Path) -> None:
    assert read_notes(str(tmp_path)) == NONE
    assert read_notes("some-owner/some-model") == NONE
    (tmp_path / "interleave.json").write_text('{"default_step": 6}')
    with pytest.raises(NotesError, match="default_step"):
        read_notes(str(tmp_path))
