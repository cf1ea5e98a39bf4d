"""Settles what a prompt leaves open, and carries plans out exactly.

An open place becomes ``standard_place``, an open colour the first one, a loose reference the
first item in reading order. Not here: what edits do (``world``) and words (``phrasing``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, TypeVar

from services.trainer.sketchbook.parsing import Description, Edits, outcomes_of, parse
from services.trainer.sketchbook.phrasing import describe, exact_ref, phrase, place_phrase
from services.trainer.sketchbook.scenes import standard_place
from services.trainer.sketchbook.wording import JOINERS, RELATION_PHRASES, Split, Style, thing_name
from services.trainer.sketchbook.world import (
    Add,
    Background,
    Beside,
    Edit,
    Grow,
    ImpossibleEditError,
    Move,
    Place,
    Recolour,
    Ref,
    Remove,
    Scene,
    SetBackground,
    Where,
    anchor_of,
    completions,
    outcomes,
    places_meant,
)

if TYPE_CHECKING:
    from _typeshed import SupportsLenAndGetItem

_T = TypeVar("_T")


def settle(scene: Scene, edit: Edit) -> Edit:
    """The edit with its places made absolute and its reference exact.

    Raises:
        ImpossibleEditError: The edit cannot be carried out in this scene.
    """
    if not outcomes(scene, edit):
        raise ImpossibleEditError(f"{edit} cannot be done here")
    match edit:
        case Add(item, where):
            return Add(completions(item)[0], _settled_place(scene, item.kind, where))
        case Move(ref, where):
            place = _movable(scene, ref, where)
            item = dict(scene.items)[place]
            if isinstance(where, Beside) and where.ref == ref:
                where = replace(where, ref=exact_ref(place, item))
            return Move(exact_ref(place, item), _settled_place(scene, item.kind, where))
        case SetBackground():
            return edit
        case Grow(ref) | Remove(ref) | Recolour(ref, _):
            found = (_about(edit, scene, place) for place in ref.find(scene))
            return next(exact for exact in found if outcomes(scene, exact))


def settled(scene: Scene, meaning: Edits) -> Iterator[tuple[Edit, Scene]]:
    """Each edit settled, with the scene it gives."""
    for edit in meaning.edits:
        exact = settle(scene, edit)
        scene = outcomes(scene, exact)[0]
        yield exact, scene


def carry_out(before: Scene | None, prompt: str) -> Scene:
    """The scene that an exact draughtsman makes of a prompt.

    Raises:
        UnknownWordingError: The prompt is not one of the world's wordings.
        ImpossibleEditError: The prompt cannot be carried out on this scene.
    """
    meaning = parse(prompt)
    if isinstance(meaning, Description):
        return _described(meaning)
    scene = before or Scene(Background("paper"))
    for _, after in settled(scene, meaning):
        scene = after
    return scene


def execute(prompts: Iterable[str], source: Scene | None = None) -> list[Scene]:
    """Carry a plan's prompts out exactly, each on the picture before.

    Raises:
        UnknownWordingError: A prompt is not one of the world's wordings.
        ImpossibleEditError: A prompt cannot be carried out.
    """
    scenes: list[Scene] = []
    for prompt in prompts:
        source = carry_out(source, prompt)
        scenes.append(source)
    return scenes


def asked_scene(before: Scene | None, prompt: str, after: Scene) -> Scene:
    """The right outcome of a prompt that a scene comes closest to, the settled one if in doubt.

    Raises:
        UnknownWordingError: The prompt is not one of the world's wordings.
        ImpossibleEditError: The prompt cannot be carried out on this scene.
    """
    settled_scene = carry_out(before, prompt)
    right = (settled_scene, *outcomes_of(before, prompt))
    return min(right, key=lambda scene: len(set(scene.items) ^ set(after.items)))


def refined(
    before: Scene | None, prompt: str, rng: Random, split: Split, *, towards: Scene | None = None
) -> str:
    """A precise rewrite of a prompt, its places read off the scene before.

    Of several right readings the one that gives ``towards`` is taken, if there is one.

    Raises:
        UnknownWordingError: The prompt is not one of the world's wordings.
        ImpossibleEditError: The prompt cannot be carried out on this scene.
    """
    meaning = parse(prompt)
    if before is None or isinstance(meaning, Description):
        return describe(towards or carry_out(before, prompt), rng, split)
    texts: list[str] = []
    scene = before
    for edit in _exact_edits(before, meaning, towards):
        text = phrase(scene, edit, rng, Style.PRECISE, split)
        texts.append(text.removeprefix("now ") if texts else text)
        scene = outcomes(scene, edit)[0]
    return rng.choice(JOINERS[split]).join(texts)


def anchored(before: Scene, prompt: str, towards: Scene) -> str:
    """Where the thing stands that a relative prompt starts from; nothing for other prompts.

    Raises:
        UnknownWordingError: The prompt is not one of the world's wordings.
        ImpossibleEditError: The prompt cannot be carried out on this scene.
    """
    meaning = parse(prompt)
    if isinstance(meaning, Description):
        return ""
    parts: list[str] = []
    for said, exact in zip(meaning.edits, _exact_edits(before, meaning, towards), strict=True):
        match said, exact:
            case Add(_, Beside() as beside), Add(_, Place() as place):
                parts.append(_anchor_words(before, beside, place))
            case Move(_, Beside() as beside), Move(_, Place() as place):
                parts.append(_anchor_words(before, beside, place))
            case _:
                pass
    return "".join(parts)


def _anchor_words(scene: Scene, beside: Beside, place: Place) -> str:
    anchor = anchor_of(place, beside.relation)
    words = thing_name(dict(scene.items)[anchor])
    relation = RELATION_PHRASES[beside.relation][Split.TRAIN][0]
    return f"{relation} the {words} {place_phrase(anchor, FIRST_FORMS, Split.TRAIN)}: "


def _exact_edits(before: Scene, meaning: Edits, towards: Scene | None) -> list[Edit]:
    exact = _leading_to(towards, before, meaning.edits) if towards else None
    return exact or [edit for edit, _ in settled(before, meaning)]


class _FirstForms(Random):
    """Takes the first of whatever there is to choose from, so that a thing has one wording."""

    def choice(self, seq: SupportsLenAndGetItem[_T]) -> _T:
        return seq[0]

    def random(self) -> float:
        return 0.0


FIRST_FORMS = _FirstForms()


def _leading_to(after: Scene, scene: Scene, edits: Sequence[Edit]) -> list[Edit] | None:
    """An exact reading of each edit, in turn, that ends in ``after``."""
    if not edits:
        return [] if scene == after else None
    for exact in _readings(scene, edits[0]):
        for then in outcomes(scene, exact)[:1]:
            rest = _leading_to(after, then, edits[1:])
            if rest is not None:
                return [exact, *rest]
    return None


def _readings(scene: Scene, edit: Edit) -> Iterator[Edit]:
    match edit:
        case Add(item, where):
            for full in completions(item):
                yield from (Add(full, place) for place in places_meant(scene, where))
        case Move(ref, where):
            for source in ref.find(scene):
                exact = exact_ref(source, dict(scene.items)[source])
                yield from (Move(exact, place) for place in places_meant(scene, where))
        case SetBackground():
            yield edit
        case Grow(ref) | Remove(ref) | Recolour(ref, _):
            yield from (_about(edit, scene, place) for place in ref.find(scene))


def _described(meaning: Description) -> Scene:
    scene = Scene(meaning.background)
    for item, place in sorted(meaning.things, key=lambda thing: thing[1] is None):
        scene = outcomes(scene, settle(scene, Add(item, place)))[0]
    return scene


def _about(edit: Remove | Recolour | Grow, scene: Scene, place: Place) -> Edit:
    return replace(edit, ref=exact_ref(place, dict(scene.items)[place]))


def _movable(scene: Scene, ref: Ref, where: Where) -> Place:
    """The first item meant that has a place to go to."""
    found = ref.find(scene)
    if isinstance(where, Beside) and where.ref == ref:
        for place in found:
            beside = replace(where, ref=exact_ref(place, dict(scene.items)[place]))
            if places_meant(scene, beside):
                return place
    return found[0]


def _settled_place(scene: Scene, kind: str, where: Where) -> Place:
    return standard_place(scene, kind) if where is None else places_meant(scene, where)[0]
