"""Packs: loading, rendering, and making one from a Python file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.llm.engine import ImagePart, TextPart
from shared.prompts.importer import import_prompts, pack_toml
from shared.prompts.pack import PackError, load_pack
from shared.prompts.planner import ImageMarksError, render_plan_messages
from shared.prompts.rendering import render_verdict_messages

PACKS = ("interleave", "sketchbook")


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_that_ships_can_be_written_and_loaded_again(name: str, tmp_path: Path) -> None:
    pack = load_pack(name).model_copy(update={"scope": None, "known_words": frozenset()})
    path = tmp_path / "copy.toml"
    path.write_text(pack_toml(pack), encoding="utf-8")
    assert load_pack(path) == pack


def test_an_unknown_pack_is_named() -> None:
    with pytest.raises(PackError, match="nowhere"):
        load_pack("nowhere")


@pytest.mark.parametrize("name", PACKS)
@given(prompt=st.text(min_size=1, max_size=50).filter(lambda text: "<image>" not in text))
def test_the_request_is_sent_untouched(name: str, prompt: str) -> None:
    system, user = render_plan_messages(load_pack(name), prompt, [])
    assert system.role == "system"
    (part,) = user.parts
    assert isinstance(part, TextPart)
    assert prompt in part.text


def test_images_stand_where_their_marks_are() -> None:
    _, user = render_plan_messages(load_pack("interleave"), "a<image>b<image>", [b"1", b"2"])
    assert user.parts == (TextPart("a"), ImagePart(b"1"), TextPart("b"), ImagePart(b"2"))


def test_images_without_marks_come_first() -> None:
    _, user = render_plan_messages(load_pack("interleave"), "what now?", [b"1", b"2"])
    assert user.images == (b"1", b"2")
    assert isinstance(user.parts[-1], TextPart)


@pytest.mark.parametrize("images", [[], [b"1"], [b"1", b"2", b"3"]])
def test_a_wrong_number_of_marks_is_a_clear_error(images: list[bytes]) -> None:
    with pytest.raises(ImageMarksError, match="2 <image> marks but"):
        render_plan_messages(load_pack("interleave"), "<image> and <image>", images)


def test_requests_with_images_get_the_other_system_prompt() -> None:
    pack = load_pack("interleave")
    narrative = render_plan_messages(pack, "a story", [])[0]
    guidance = render_plan_messages(pack, "a story", [b"1"])[0]
    assert narrative != guidance


def test_a_fixed_number_of_steps_is_told() -> None:
    _, user = render_plan_messages(load_pack("interleave"), "a story", [], steps=7)
    assert "7 steps" in "".join(p.text for p in user.parts if isinstance(p, TextPart))


@pytest.mark.parametrize("name", PACKS)
def test_the_critic_sees_before_then_after_and_both_prompts(name: str) -> None:
    pack = load_pack(name)
    user = render_verdict_messages(pack, "{used_prompt}", "made", before=b"b", after=b"a")[-1]
    text = "".join(p.text for p in user.parts if isinstance(p, TextPart))
    assert user.images == (b"b", b"a")
    assert "{used_prompt}" in text
    assert "made" in text


def test_prompts_are_imported_without_running_the_file(tmp_path: Path) -> None:
    source = tmp_path / "prompts.py"
    trap = tmp_path / "ran"
    source.write_text(
        f"open({str(trap)!r}, 'w')\n"
        "NARRATIVE_PROMPT = 'tell'\nGUIDANCE_PROMPT: str = '''\n guide\n'''.strip()\n"
        "_RULES = 'be strict'\nCRITIC_PROMPT = 'judge, ' + _RULES\nNUMBER = 3\n",
        encoding="utf-8",
    )
    pack = import_prompts(source)
    assert not trap.exists()
    assert pack.planner.narrative_system == "tell"
    assert pack.planner.guidance_system == "guide"
    assert pack.critic.system == "judge, be strict"


def test_constants_may_be_named(tmp_path: Path) -> None:
    source = tmp_path / "p.py"
    source.write_text("A = 'a'\nB = 'b'\nC = 'c'\n", encoding="utf-8")
    names = {"narrative_system": "A", "guidance_system": "B", "critic_system": "C"}
    assert import_prompts(source, names=names).critic.system == "c"


@pytest.mark.parametrize("source", ["A = 'a'", "def (", "\0"])
def test_a_file_without_the_prompts_is_refused(source: str, tmp_path: Path) -> None:
    path = tmp_path / "p.py"
    path.write_text(source, encoding="utf-8")
    with pytest.raises(PackError):
        import_prompts(path)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("Tell the story of a red boat", ()),
        ("Tell the story of a dragon and a castle, dragon!", ("dragon", "castle")),
        ("write the word QUIZ and count to 42", ()),
        ("<image> <image> what comes next?", ()),
        ("the cat's house", ()),
    ],
)
def test_a_small_pack_names_the_words_it_does_not_know(text: str, unknown: tuple[str, ...]) -> None:
    assert load_pack("sketchbook").unknown_words(text) == unknown


def test_a_pack_for_full_size_models_knows_every_word() -> None:
    assert load_pack("interleave").unknown_words("a dragon") == ()
