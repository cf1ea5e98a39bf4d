"""What the agents are taught: tasks as messages, the right answer, and the pictures shown.

Not here: the world's samples (``samples``, ``requests``) and turning lessons into tensors
(``data``).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import pairwise
from random import Random

import numpy as np
import numpy.typing as npt

from services.trainer.sketchbook.language import (
    Split,
    caption_places,
    item_phrase,
    list_items,
    sentence,
)
from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.requests import SketchRequest, Use, sample_request
from services.trainer.sketchbook.rewording import reworded
from services.trainer.sketchbook.samples import CriticSample, critic_sample
from services.trainer.sketchbook.scenes import (
    sample_edit,
    sample_editable_scene,
    sample_item,
    sample_scene,
)
from services.trainer.sketchbook.settling import (
    FIRST_FORMS,
    anchored,
    asked_scene,
    carry_out,
    refined,
)
from services.trainer.sketchbook.wording import background_phrase, spot_phrase
from services.trainer.sketchbook.world import (
    BACKGROUNDS,
    PLACES,
    Item,
    Place,
    Scene,
    all_items,
    outcomes,
)
from shared.llm.engine import ChatMessage, ImagePart, TextPart
from shared.prompts.pack import PromptPack, load_pack
from shared.prompts.rendering import render_plan_messages, render_verdict_messages

_FIXED_COUNT_SHARE = 0.12
_PLACE_FORM = "{row} row, {column}"
_SAME, _WRONG = "same", "wrong"
_UNCLEAR = "nothing clear"
UNCLEAR_REASON = "the picture is not clear."
_BLENDED_SHARE = 0.05
_BACKGROUND_PAIR_SHARE = 0.3
_REWRITTEN_SHARE = 0.7
_RELATIVE_SHARE = 0.6


Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A conversation, the answer to learn, and what is shown (None: a white canvas)."""

    messages: tuple[ChatMessage, ...]
    answer: str
    scenes: tuple[Scene | Picture | None, ...] = ()


@cache
def pack() -> PromptPack:
    """The words the tiny agents are trained on."""
    return load_pack("sketchbook")


def _looking(task: str, count: int) -> tuple[ChatMessage, ...]:
    return (ChatMessage("user", (*(ImagePart(b"") for _ in range(count)), TextPart(task))),)


def _few(rng: Random) -> int:
    """How full a scene may be: mostly nearly empty, so that naming is learned before order."""
    return rng.choice((1, 1, 1, 1, 2, 2, 3, 4, 6, 8))


def caption_lesson(rng: Random) -> Lesson:
    """List everything in a picture with its place; what teaches the model to see."""
    count = _few(rng)
    scene = sample_scene(rng, count, min_items=min(1, count))
    return Lesson(_looking("List.", 1), caption_places(scene), (scene,))


def sentence_lesson(rng: Random) -> Lesson:
    """Say in one sentence what a picture shows."""
    scene = sample_scene(rng, _few(rng))
    return Lesson(_looking("Say.", 1), sentence(scene), (scene,))


def change_lesson(rng: Random) -> Lesson:
    """List what differs between two pictures."""
    before = sample_editable_scene(rng, _few(rng))
    after = before
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        after = rng.choice(outcomes(after, sample_edit(after, rng)))
    return Lesson(_looking("Compare.", 2), changes(before, after), (before, after))


def changes(before: Scene | None, after: Scene) -> str:
    """What is new in the second scene, place by place; all of it where nothing was before."""
    if before is None:
        return caption_places(after)
    parts: list[str] = []
    if before.background != after.background:
        parts.append(background_phrase(after.background))
    was, now = dict(before.items), dict(after.items)
    for place in PLACES:
        if was.get(place) != now.get(place):
            item = now.get(place)
            what = item_phrase(item) if item else "nothing"
            parts.append(f"{spot_phrase(place, _PLACE_FORM)}: {what}")
    return "; ".join(parts) or "no change"


def verdict_answer(sample: CriticSample) -> str:
    """The critic's whole answer: what was there, what it sees beside what was asked, the verdict.

    Naming what was there, and what the prompt comes to there, is what lets a small model find
    places that the prompt gives only by what stands beside them.
    """
    verdict = {
        "previous_step_success": sample.success,
        "refine_prompt": sample.refine_prompt,
    }
    asked = asked_scene(sample.before, sample.original_prompt, sample.after)
    compared = comparison(sample.before, sample.after, asked, unclear=sample.unclear)
    before = premise(sample.before, sample.original_prompt, asked)
    thought = f"{before}. {compared}. {sample.reason}"
    return f"<think>{thought}</think><answer>{json.dumps(verdict)}</answer>"


def premise(before: Scene | None, prompt: str, asked: Scene) -> str:
    """The picture before, listed, and what the prompt comes to there in precise words.

    Where no picture was before, what was asked is listed.
    """
    if before is None:
        return caption_places(asked)
    exact = refined(before, prompt, FIRST_FORMS, Split.TRAIN, towards=asked)
    return f"{list_items(before)}. {anchored(before, prompt, asked)}{exact}"


def comparison(
    before: Scene | None, seen: Scene, asked: Scene, *, unclear: Collection[Place] = ()
) -> str:
    """Each place that changed or should have: what is there, what was asked, and if they agree.

    Judged one by one, so that the verdict is no more than whether any of them is wrong.
    """
    pairs: list[tuple[str, str, str]] = []
    was = None if before is None else before.background
    if {seen.background, asked.background} != {was}:
        pairs.append(
            ("background", background_phrase(seen.background), background_phrase(asked.background))
        )
    for place in PLACES:
        old, now, due = (None if scene is None else scene.at(place)
                         for scene in (before, seen, asked))  # fmt: skip
        shown = _UNCLEAR if place in unclear else _named(now)
        if {now, due} != {old} or place in unclear:
            pairs.append((spot_phrase(place, _PLACE_FORM), shown, _named(due)))
    return "; ".join(_pair(*pair) for pair in pairs) or "no change"


def _named(item: Item | None) -> str:
    return "nothing" if item is None else item_phrase(item)


def verdict_question(prompt: str, used: str) -> tuple[ChatMessage, ...]:
    """What the critic is asked, its pictures left blank."""
    return tuple(render_verdict_messages(pack(), prompt, used, before=b"", after=b""))


def verdict_lesson(sample: CriticSample) -> Lesson:
    """Judge the outcome of a prompt."""
    question = verdict_question(sample.original_prompt, sample.used_prompt)
    return Lesson(question, verdict_answer(sample), (sample.before, sample.after))


def synthetic_verdict_lesson(rng: Random, split: Split = Split.TRAIN) -> Lesson:
    """Judge a rendered outcome, right or wrong, of a prompt in any wording."""
    if rng.random() < _BLENDED_SHARE:
        return blended_verdict_lesson(rng)
    return heard_lesson(critic_sample(rng, split, max_items=rng.choice((1, 2, 3, 4, 6, 6))), rng)


def rewriting_lesson(rng: Random) -> Lesson:
    """Judge, and mostly rewrite, a prompt that leaves something for the pictures to settle."""
    count = rng.choice((2, 3, 4, 6))
    sample = critic_sample(
        rng, Split.TRAIN, max_items=count, failure_share=_REWRITTEN_SHARE, imprecise=True
    )
    return heard_lesson(sample, rng)


def heard_lesson(sample: CriticSample, rng: Random) -> Lesson:
    """Judge the outcome of a prompt that is heard in other words than the templates'."""
    lesson = verdict_lesson(sample)
    heard = reworded(sample.original_prompt, rng)
    if heard == sample.original_prompt:
        return lesson
    used = heard if sample.used_prompt == sample.original_prompt else sample.used_prompt
    answer = lesson.answer
    if sample.success:
        answer = answer.replace(json.dumps(sample.refine_prompt), json.dumps(used))
    return Lesson(verdict_question(heard, used), answer, lesson.scenes)


def blended_verdict_lesson(rng: Random) -> Lesson:
    """Refuse an outcome that is right but for one place, where two things show through each other.

    That is how a generator's picture often fails.
    """
    sample = critic_sample(rng, Split.TRAIN, failure_share=0.0)
    place, ghost = rng.choice(PLACES), sample_item(rng)
    blended = replace(
        sample, success=False, reason=UNCLEAR_REASON, unclear=frozenset({place}),
        refine_prompt=refined(sample.before, sample.original_prompt, rng, Split.TRAIN),
    )  # fmt: skip
    if ghost == sample.after.at(place):
        return verdict_lesson(sample)
    clear, other = (render(scene).astype(np.float32)
                    for scene in (sample.after, sample.after.with_item(place, ghost)))  # fmt: skip
    share = rng.uniform(0.4, 0.6)
    picture = np.rint(clear * (1 - share) + other * share).astype(np.uint8)
    lesson = verdict_lesson(blended)
    return replace(lesson, scenes=(sample.before, picture))


def meaning_drill(rng: Random) -> tuple[Lesson, str]:
    """A prompt, and a scene put in words; then what the prompt comes to there. Nothing is shown.

    The last words, which are those to learn, are returned as well. More than half of the prompts
    name a place by what stands beside it.
    """
    relative = rng.random() < _RELATIVE_SHARE
    sample = _scene_and_prompt(rng, imprecise=relative)
    while relative and not _is_relative(sample):
        sample = _scene_and_prompt(rng, imprecise=True)
    heard = reworded(sample.original_prompt, rng)
    asked = verdict_question(heard, heard)
    words = tuple(
        ChatMessage(m.role, tuple(part for part in m.parts if isinstance(part, TextPart)))
        for m in asked
    )
    before = sample.before
    meant = carry_out(before, sample.original_prompt)
    given = f"{list_items(before)}. " if before else ""
    thought = premise(before, sample.original_prompt, meant)
    return Lesson(words, f"<think>{thought}."), thought.removeprefix(given)


def _scene_and_prompt(rng: Random, *, imprecise: bool) -> CriticSample:
    items = rng.choice((2, 3, 4, 6, 8))
    return critic_sample(rng, Split.TRAIN, max_items=items, failure_share=0.0, imprecise=imprecise)


def _is_relative(sample: CriticSample) -> bool:
    before, prompt = sample.before, sample.original_prompt
    return before is not None and bool(anchored(before, prompt, carry_out(before, prompt)))


def pairs_thought(rng: Random) -> str:
    """A comparison of things that were never drawn: telling equal words from almost equal ones."""
    places = sorted(rng.sample(PLACES, rng.choice((1, 1, 2, 3, 4))))
    parts: list[str] = []
    if rng.random() < _BACKGROUND_PAIR_SHARE:
        parts.append(_pair("background", *_alike(_background_words(), rng)))
    for place in places:
        pair = _alike(_relatives(sample_item(rng)), rng)
        parts.append(_pair(spot_phrase(place, _PLACE_FORM), *pair))
    return "; ".join(parts)


def _pair(where: str, now: str, due: str) -> str:
    return f"{where}: {now}, asked: {due}, {_SAME if now == due else _WRONG}"


def _alike(among: Sequence[str], rng: Random) -> tuple[str, str]:
    """Two of these, the same one twice in half of the cases."""
    first = rng.choice(among)
    return first, first if rng.random() < 1 / 2 else rng.choice(among)


@cache
def _background_words() -> tuple[str, ...]:
    return tuple(map(background_phrase, BACKGROUNDS))


@cache
def _relatives(item: Item) -> tuple[str, ...]:
    """What an item is easily taken for: its kind, its colour, its like, or nothing."""
    near = [
        other for other in all_items()
        if (other.kind == item.kind) + (other.colour == item.colour) + (other.stage == item.stage)
        > 1
    ]  # fmt: skip
    return tuple(map(_named, (*near, item, None)))


def plan_thought(request: SketchRequest) -> str:
    """What the planner notes before it plans: what it sees, and how many steps it will take."""
    if request.use is Use.ANNOTATION:
        return ""
    parts: list[str] = []
    for was, now in pairwise(request.images):
        parts.append(changes(was, now))
    if request.images:
        parts.append(caption_places(request.images[-1]))
    return ". ".join((*parts, f"{len(request.plan)} steps."))


def plan_answer(request: SketchRequest) -> str:
    """The planner's whole answer."""
    plan = json.dumps({"execution_plan": [asdict(step) for step in request.plan]})
    return f"<think>{plan_thought(request)}</think><answer>{plan}</answer>"


def plan_lesson(request: SketchRequest, *, steps: int | None = None) -> Lesson:
    """Plan a request; ``steps`` as the caller would fix it beside the text."""
    images = [b""] * len(request.images)
    messages = render_plan_messages(pack(), request.text, images, steps=steps)
    return Lesson(tuple(messages), plan_answer(request), request.images)


def request_lesson(rng: Random) -> Lesson:
    """Plan a request of the training wordings, sometimes with the step count fixed as well."""
    request = sample_request(rng, Split.TRAIN)
    fixed = request.use is not Use.ANNOTATION and rng.random() < _FIXED_COUNT_SHARE
    return plan_lesson(request, steps=len(request.plan) if fixed else None)


def annotation_lesson(rng: Random) -> Lesson:
    """Put given pictures into words, the part of planning that needs the sharpest eye."""
    return plan_lesson(sample_request(rng, Split.TRAIN, use=Use.ANNOTATION))


def manipulation_lesson(rng: Random) -> Lesson:
    """Rearrange what is there: the longest chains of places to keep in mind."""
    return plan_lesson(sample_request(rng, Split.TRAIN, use=Use.MANIPULATION))
