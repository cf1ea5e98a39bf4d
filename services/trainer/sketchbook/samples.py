"""Training samples of the Sketchbook world for the generator and the critic.

Everything is drawn from a ``random.Random`` and so can be repeated from a seed. Not here: how a
picture looks (``renderer``), whole requests and their plans (``requests``), tokenisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from services.trainer.sketchbook.failures import reason_for, wrong_outcome
from services.trainer.sketchbook.parsing import outcomes_of
from services.trainer.sketchbook.phrasing import describe, phrase, phrase_both
from services.trainer.sketchbook.scenes import sample_edit, sample_editable_scene, sample_scene
from services.trainer.sketchbook.settling import asked_scene, refined
from services.trainer.sketchbook.wording import Split, Style
from services.trainer.sketchbook.world import Place, Scene, outcomes

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
    unclear: frozenset[Place] = frozenset()
    """Places of the picture after that show nothing that can be made out."""


def acceptable(before: Scene | None, prompt: str, after: Scene) -> bool:
    """Whether a scene is a right outcome of a prompt."""
    return after in outcomes_of(before, prompt)


def critic_sample(
    rng: Random,
    split: Split,
    *,
    max_items: int = 6,
    failure_share: float = 0.5,
    imprecise: bool = False,
) -> CriticSample:
    """One verdict to learn; in a third of them an earlier attempt had failed already.

    With ``imprecise`` the prompt is vague, relative or double: where a rewrite helps most.
    """
    sample = generator_sample(rng, split, max_items=max_items)
    while imprecise and sample.style is Style.PRECISE:
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
        asked = asked_scene(sample.before, sample.prompt, after)
        refine = refined(sample.before, sample.prompt, rng, split, towards=asked)
    reason = reason_for(right, after)
    return CriticSample(sample.before, sample.prompt, used, after, success, refine, reason)
