"""The tiny agents: their tokens, their fast pass, their lessons, and how plans are judged."""

from __future__ import annotations

import json
import re
from collections import Counter
from random import Random

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import PreTrainedTokenizerFast, Qwen3VLForConditionalGeneration

from services.trainer.sketchbook.agents import lessons
from services.trainer.sketchbook.agents.data import (
    Roughener,
    chat_text,
    collate,
    decisions,
    encode,
    encode_drill,
    encode_meaning,
    shown,
)
from services.trainer.sketchbook.agents.evaluate import is_valid, reaches_goal
from services.trainer.sketchbook.agents.model import (
    IGNORE,
    hidden_states,
    image_processor,
    new_model,
    patches,
    see,
)
from services.trainer.sketchbook.agents.places import PlaceReaders, changed_labels, place_labels
from services.trainer.sketchbook.agents.tokenizer import train_tokenizer
from services.trainer.sketchbook.captions import caption_places, list_items
from services.trainer.sketchbook.parsing import outcomes_of
from services.trainer.sketchbook.phrasing import describe
from services.trainer.sketchbook.requests import sample_request
from services.trainer.sketchbook.samples import critic_sample
from services.trainer.sketchbook.scenes import sample_scene
from services.trainer.sketchbook.settling import asked_scene
from services.trainer.sketchbook.wording import Split
from services.trainer.sketchbook.world import BACKGROUNDS, Background, Item, Place, Scene
from shared.contracts.plans import PlanStep
from shared.prompts.critic import parse_verdict
from shared.prompts.planner import parse_plan

MAKERS = (
    lessons.caption_lesson,
    lessons.sentence_lesson,
    lessons.change_lesson,
    lessons.synthetic_verdict_lesson,
    lessons.request_lesson,
)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    rng = Random(0)
    return train_tokenizer([make(rng).answer for _ in range(100) for make in MAKERS])


@pytest.fixture(scope="module")
def model(tokenizer: PreTrainedTokenizerFast) -> Qwen3VLForConditionalGeneration:
    made = new_model(tokenizer, 0).eval()
    torch.nn.init.normal_(made.model.visual.pos_embed.weight)
    return made


@pytest.mark.parametrize("make", MAKERS)
def test_answers_survive_the_tokenizer(
    make: type[object], tokenizer: PreTrainedTokenizerFast
) -> None:
    rng = Random(1)
    for _ in range(50):
        lesson = make(rng)
        assert isinstance(lesson, lessons.Lesson)
        encoded = encode(lesson, tokenizer)
        assert tokenizer.decode(encoded.ids[encoded.start : -1]) == lesson.answer


def test_the_training_text_is_what_the_chat_template_writes(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    lesson = lessons.synthetic_verdict_lesson(Random(2))
    messages = [
        {"role": m.role, "content": [
            {"type": "text", "text": p.text} if hasattr(p, "text") else {"type": "image"}
            for p in m.parts
        ]}
        for m in lesson.messages
    ]  # fmt: skip
    written = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert chat_text(lesson.messages).replace("<|image_pad|>" * 16, "<|image_pad|>") == written


def test_the_fast_pass_equals_the_stock_model(
    model: Qwen3VLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast
) -> None:
    encoded = [encode(lessons.synthetic_verdict_lesson(Random(seed)), tokenizer) for seed in (3, 4)]
    batch = collate(encoded, tokenizer)
    assert batch.patched is not None
    with torch.no_grad():
        fast = model.lm_head(hidden_states(model, batch, see(model, batch.patched)))
    for row, one in enumerate(encoded):
        seen = image_processor()([Image.fromarray(p) for p in one.pictures], return_tensors="pt")
        ids = torch.tensor([one.ids])
        kinds = (ids == model.config.image_token_id).int()
        with torch.no_grad():
            stock = model(input_ids=ids, mm_token_type_ids=kinds, **seen).logits
        assert torch.allclose(stock[0], fast[row, : len(one.ids)], atol=1e-4)


def test_pictures_are_cut_as_the_image_processor_cuts_them() -> None:
    picture = shown(Scene.of(BACKGROUNDS[3], {Place(1, 2): Item("sun")}))
    stock = image_processor()([Image.fromarray(picture)], return_tensors="pt")["pixel_values"]
    ours = patches(picture[None])[0]
    assert torch.allclose(stock.view(64, 3, 2, 256)[:, :, 0].reshape(64, 768), ours)


def test_only_answers_are_learned(tokenizer: PreTrainedTokenizerFast) -> None:
    lesson = lessons.synthetic_verdict_lesson(Random(5))
    encoded = encode(lesson, tokenizer)
    batch = collate([encoded], tokenizer)
    learned = batch.labels[0][batch.labels[0] != IGNORE].tolist()
    assert tokenizer.decode(learned[:-1]) == lesson.answer
    assert batch.weights.max() > 1


def test_what_changed_is_labelled_place_by_place() -> None:
    before = Scene.of(BACKGROUNDS[0], {Place(0, 1): Item("sun")})
    after = Scene.of(BACKGROUNDS[0], {Place(0, 1): Item("sun"), Place(3, 3): Item("cow")})
    first, second = changed_labels([place_labels(before), place_labels(after)])
    assert (first == IGNORE).all()
    assert np.flatnonzero(second).tolist() == [15]


def test_readers_learn_nothing_from_unknown_pictures() -> None:
    readers = PlaceReaders(8)
    labels = torch.full((2, 2, 16), IGNORE)
    loss, _ = readers(torch.randn(32, 8), labels)
    assert float(loss) == 0.0


def test_roughening_changes_about_half_of_the_pictures() -> None:
    before = patches(np.stack([shown(Scene(BACKGROUNDS[0]))] * 60))
    after = before.clone()
    Roughener(1)(after)
    changed = (before != after).flatten(1).any(1).float().mean()
    assert 0.25 < float(changed) < 0.75
    assert float((before - after).abs().max()) < 2.0


def test_verdict_lessons_hold_the_truth() -> None:
    rng = Random(6)
    for _ in range(50):
        sample = critic_sample(rng, Split.TRAIN)
        draft = parse_verdict(lessons.verdict_answer(sample))
        assert draft.previous_step_success == sample.success
        assert draft.refine_prompt == sample.refine_prompt.strip()
        assert sample.reason in draft.reasoning


def test_the_marks_in_a_thought_agree_with_its_verdict() -> None:
    rng = Random(16)
    for _ in range(200):
        sample = critic_sample(rng, Split.TRAIN)
        thought = lessons.verdict_answer(sample).partition("</think>")[0]
        assert sample.success == (", wrong" not in thought)


def test_a_thought_lists_the_picture_before_and_says_the_prompt_exactly() -> None:
    rng = Random(18)
    for _ in range(200):
        sample = critic_sample(rng, Split.TRAIN, imprecise=True)
        assert sample.before is not None
        thought = lessons.verdict_answer(sample).partition("<think>")[2]
        listed, exact, _ = thought.split(". ", 2)
        assert listed == list_items(sample.before)
        asked = asked_scene(sample.before, sample.original_prompt, sample.after)
        assert outcomes_of(sample.before, exact.rpartition(": ")[2]) == (asked,)


def test_a_relative_prompt_is_said_with_the_place_of_what_it_starts_from() -> None:
    scene = Scene.of(Background("sea"), {Place(3, 0): Item("tree", stage=2)})
    after = scene.with_item(Place(3, 1), Item("cow"))
    said = lessons.premise(scene, "put a cow to the right of the tree", after)
    assert said.endswith(
        ". to the right of the young tree in the bottom row, far left:"
        " add a cow in the bottom row, left"
    )


def test_a_described_scene_is_listed_as_it_was_asked_for() -> None:
    rng = Random(23)
    scene = sample_scene(rng)
    assert lessons.premise(None, describe(scene, rng, Split.TRAIN), scene) == caption_places(scene)


def test_a_rewrite_aims_at_the_reading_that_the_picture_came_closest_to() -> None:
    rng = Random(20)
    for _ in range(200):
        sample = critic_sample(rng, Split.TRAIN, failure_share=1.0, imprecise=True)
        asked = asked_scene(sample.before, sample.original_prompt, sample.after)
        assert asked in outcomes_of(sample.before, sample.original_prompt)
        assert outcomes_of(sample.before, sample.refine_prompt) == (asked,)


def test_of_a_meaning_drill_only_the_exact_words_are_learned(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    rng = Random(21)
    for _ in range(20):
        lesson, exact = lessons.meaning_drill(rng)
        batch = collate([encode_meaning(lesson, exact, tokenizer)], tokenizer)
        assert batch.patched is None
        assert tokenizer.decode(batch.ids[batch.labels != IGNORE]).strip() == f"{exact}."


def test_drills_mark_equal_things_same_and_others_wrong() -> None:
    rng = Random(17)
    marks = Counter[str]()
    for _ in range(200):
        for part in lessons.pairs_thought(rng).split("; "):
            found = re.fullmatch(r"[^:]+: (.+), asked: (.+), (same|wrong)", part)
            assert found is not None
            assert (found[1] == found[2]) == (found[3] == "same")
            marks[found[3]] += 1
    assert min(marks.values()) > 0.4 * marks.total()


def test_of_a_drill_only_the_marks_are_learned(tokenizer: PreTrainedTokenizerFast) -> None:
    thought = "top row, left: a cow, asked: a cow, same; top row, right: a hen, asked: a cow, wrong"
    batch = collate([encode_drill(thought, tokenizer)], tokenizer)
    learned = batch.ids[batch.labels != IGNORE]
    assert [tokenizer.decode([int(token)]) for token in learned] == [" same", " wrong"]


def test_a_place_where_two_things_blend_is_never_accepted() -> None:
    rng = Random(19)
    for _ in range(30):
        lesson = lessons.blended_verdict_lesson(rng)
        if isinstance(lesson.scenes[1], np.ndarray):
            assert "nothing clear" in lesson.answer
            assert not parse_verdict(lesson.answer).previous_step_success


def test_marks_the_reason_and_what_was_missed_weigh_more(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    thought = (
        "top row, left: a red cow, asked: a red hen, wrong; top row, right: a hen, asked: a hen, "
        "same. the cow is in the wrong place."
    )
    lesson = lessons.Lesson((), f"<think>{thought}</think><answer>{{}}</answer>")
    encoded = encode(lesson, tokenizer)
    weighty = [encoded.ids[place] for place in decisions(encoded, tokenizer)]
    assert tokenizer.decode(weighty) == " a red hen wrong same the"


def test_the_plans_that_are_taught_are_valid_and_reach_their_goals() -> None:
    rng = Random(7)
    for _ in range(60):
        request = sample_request(rng, Split.TRAIN)
        plan = parse_plan(lessons.plan_answer(request))
        assert is_valid(request, plan)
        assert reaches_goal(request, plan)


def test_a_plan_in_unknown_words_reaches_nothing() -> None:
    request = sample_request(Random(8), Split.TRAIN, implicit=False)
    assert not reaches_goal(request, (PlanStep(step_number=1, prompt="draw a dragon"),))


def test_lessons_are_json_inside_their_tags() -> None:
    answer = lessons.request_lesson(Random(9)).answer
    inside = answer.partition("<answer>")[2].partition("</answer>")[0]
    assert json.loads(inside)["execution_plan"]
