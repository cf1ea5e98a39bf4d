"""Training samples of the Sketchbook world for the generator and the critic.

Everything is drawn from a ``random.Random`` and so can be repeated from a seed. Not here: how a
picture looks (``renderer``), whole requests and their plans (``requests``), tokenisation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from services.trainer.sketchbook.failures import reason_for, wrong_outcome
from services.trainer.sketchbook.parsing import Description, Edits, outcomes_of, parse
from services.trainer.sketchbook.phrasing import describe, exact_ref, phrase, phrase_both
from services.trainer.sketchbook.scenes import (
    sample_edit,
    sample_editable_scene,
    sample_scene,
    standard_place,
)
from services.trainer.sketchbook.wording import JOINERS, Split, Style
from services.trainer.sketchbook.world import (
    Add,
    Beside,
    Edit,
    Grow,
    Move,
    Place,
    Recolour,
    Ref,
    Remove,
    Scene,
    SetBackground,
    Where,
    completions,
    outcomes,
    places_meant,
)

TEXT_TO_IMAGE_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class GeneratorSample:
    """What the generator learns from: a source, a prompt, and the picture to make."""

    before: Scene | None
    prompt: str
    after: Scene
    style: Style


def generator_sample(
    rng: Random, split: Split, *, max_items: int = 6, precise: bool = False
) -> GeneratorSample:
    """One sample: 15 % from text alone, else an edit, six in ten of those worded precisely.

    With ``precise`` every prompt is precise and asks for one thing.
    """
    if rng.random() < TEXT_TO_IMAGE_SHARE:
        scene = sample_scene(rng, max_items)
        return GeneratorSample(None, describe(scene, rng, split), scene, Style.PRECISE)
    before = sample_editable_scene(rng, max_items)
    edit = sample_edit(before, rng)
    after = outcomes(before, edit)[0]
    draw = 0.0 if precise else rng.random()
    if draw < 0.6:
        style = Style.PRECISE
    elif draw < 0.85:
        style = Style.RELATIVE
    elif draw < 0.925:
        style = Style.VAGUE
    else:
        second = sample_edit(after, rng)
        prompt = phrase_both(before, (edit, second), rng, split)
        return GeneratorSample(before, prompt, outcomes(after, second)[0], Style.VAGUE)
    return GeneratorSample(before, phrase(before, edit, rng, style, split), after, style)


@dataclass(frozen=True, slots=True)
class CriticSample:
    """What the critic learns from; ``refine_prompt`` echoes the used prompt on success."""

    before: Scene | None
    original_prompt: str
    used_prompt: str
    after: Scene
    success: bool
    refine_prompt: str
    reason: str


def acceptable(before: Scene | None, prompt: str, after: Scene) -> bool:
    """Whether a scene is a right outcome of a prompt."""
    return after in outcomes_of(before, prompt)


def refined(before: Scene | None, prompt: str, rng: Random, split: Split) -> str:
    """A precise rewrite of a prompt, its places read off the scene before.

    What the prompt leaves open is settled by ``standard_place`` and reading order.

    Raises:
        UnknownWordingError: The prompt is not one of the world's wordings.
    """
    meaning = parse(prompt)
    if before is None or isinstance(meaning, Description):
        return describe(outcomes_of(before, prompt)[0], rng, split)
    texts: list[str] = []
    scene = before
    for edit in _settled(before, meaning):
        text = phrase(scene, edit, rng, Style.PRECISE, split)
        texts.append(text.removeprefix("now ") if texts else text)
        scene = outcomes(scene, edit)[0]
    return rng.choice(JOINERS[split]).join(texts)


def _settled(before: Scene, meaning: Edits) -> Iterator[Edit]:
    """The edits with every open place and colour settled."""
    scene = before
    for edit in meaning.edits:
        settled = settle(scene, edit)
        yield settled
        scene = outcomes(scene, settled)[0]


def settle(scene: Scene, edit: Edit) -> Edit:
    """The edit with its places made absolute and its reference exact."""
    match edit:
        case Add(item, where):
            item = completions(item)[0]
            return Add(item, _settled_place(scene, item.kind, where))
        case Move(ref, where):
            place = _movable(scene, ref, where)
            item = dict(scene.items)[place]
            return Move(exact_ref(place, item), _settled_place(scene, item.kind, where))
        case SetBackground():
            return edit
        case Grow(ref) | Remove(ref) | Recolour(ref, _):
            place = next(p for p in ref.find(scene) if outcomes(scene, _about(edit, scene, p)))
            return _about(edit, scene, place)


def _about(edit: Remove | Recolour | Grow, scene: Scene, place: Place) -> Edit:
    return replace(edit, ref=exact_ref(place, dict(scene.items)[place]))


def _movable(scene: Scene, ref: Ref, where: Where) -> Place:
    """The first item meant that is not itself the only one to stand beside."""
    found = ref.find(scene)
    if isinstance(where, Beside) and where.ref == ref:
        for place in found:
            beside = replace(where, ref=exact_ref(place, dict(scene.items)[place]))
            if places_meant(scene, beside):
                return place
    return found[0]


def _settled_place(scene: Scene, kind: str, where: Where) -> Place:
    return standard_place(scene, kind) if where is None else places_meant(scene, where)[0]


def critic_sample(
    rng: Random, split: Split, *, max_items: int = 6, failure_share: float = 0.5
) -> CriticSample:
    """One verdict to learn; in a third of them an earlier attempt had failed already."""
    sample = generator_sample(rng, split, max_items=max_items)
    used = sample.prompt
    if rng.random() < 1 / 3:
        used = refined(sample.before, sample.prompt, rng, split)
    right = outcomes_of(sample.before, sample.prompt)
    success = rng.random() >= failure_share
    if success:
        refine, after = used, rng.choice(outcomes_of(sample.before, used))
    else:
        after = wrong_outcome(sample.before, sample.prompt, rng)
        refine = refined(sample.before, sample.prompt, rng, split)
    reason = reason_for(right, after)
    return CriticSample(sample.before, sample.prompt, used, after, success, refine, reason)
