"""Puts scenes and edits into words.

``describe`` words a whole scene, ``phrase`` an edit of a scene. Not here: the tables of words
(``wording``), understanding (``parsing``), captions of pictures (``captions``).
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from services.trainer.sketchbook import wording
from services.trainer.sketchbook.wording import Split, Style
from services.trainer.sketchbook.world import (
    Add,
    Beside,
    Edit,
    Grow,
    Item,
    Move,
    Place,
    Recolour,
    Ref,
    Relation,
    Remove,
    Scene,
    SetBackground,
    outcomes,
    places_meant,
)

_HELDOUT_PLACE_SHARE = 0.5


def place_form(rng: Random, split: Split) -> tuple[str, str]:
    """A preposition and a form of naming places; held-out text mixes both kinds of form."""
    if split is Split.HELDOUT and rng.random() >= _HELDOUT_PLACE_SHARE:
        split = Split.TRAIN
    return rng.choice(wording.PLACE_NAMES[split])


def place_phrase(place: Place, rng: Random, split: Split) -> str:
    """A place with its preposition: "in the top row, far left"."""
    preposition, form = place_form(rng, split)
    return f"{preposition} {wording.spot_phrase(place, form)}"


def spot(place: Place, rng: Random, split: Split) -> str:
    """A place without preposition: "the far left of the top row"."""
    return wording.spot_phrase(place, place_form(rng, split)[1])


def enumerate_words(parts: list[str]) -> str:
    """Join with commas and a final "and"."""
    if len(parts) < 3:
        return " and ".join(parts)
    return ", ".join(parts[:-1]) + ", and " + parts[-1]


def describe(scene: Scene, rng: Random, split: Split, *, style: Style = Style.PRECISE) -> str:
    """The full text-to-image description of a scene.

    ``Style.VAGUE`` leaves the places out; every other style gives each item's place.
    """
    background = wording.background_phrase(scene.background, say_day=rng.random() < 0.5)
    if not scene.items:
        template = rng.choice(wording.EMPTY_DESCRIPTIONS[split])
        return template.format(background=background)
    template = rng.choice(wording.DESCRIPTIONS[split])
    parts = [wording.item_phrase(item) for _, item in scene.items]
    if style is not Style.VAGUE:
        form = place_form(rng, split)
        parts = [
            f"{part} {form[0]} {wording.spot_phrase(place, form[1])}"
            for part, (place, _) in zip(parts, scene.items, strict=True)
        ]
    return template.format(background=background, things=enumerate_words(parts))


def phrase(scene: Scene, edit: Edit, rng: Random, style: Style, split: Split) -> str:
    """Word an edit of a scene.

    A style that cannot be used (a relative place with nothing beside it) falls back to
    ``PRECISE``. The edit should be definite: places absolute, references to one item.
    """
    match edit:
        case Add(item, Place() as place):
            return _phrase_add(scene, item, place, rng=rng, style=style, split=split)
        case Move(ref, Place() as place):
            return _phrase_move(scene, ref, place, rng=rng, style=style, split=split)
        case Remove(ref):
            return _fill(wording.REMOVE, scene, ref, rng=rng, style=style, split=split)
        case Recolour(ref, colour):
            return _fill(
                wording.RECOLOUR, scene, ref, rng=rng, style=style, split=split, colour=colour
            )
        case Grow(ref):
            grown = _grown_item(scene, ref)
            return _fill(
                wording.GROW, scene, ref, rng=rng, style=style, split=split,
                item=wording.item_phrase(grown),
            )  # fmt: skip
        case SetBackground():
            return _phrase_background(scene, edit, rng=rng, style=style, split=split)
        case _:
            raise ValueError(f"only definite edits can be worded, not {edit}")


def phrase_both(before: Scene, edits: tuple[Edit, Edit], rng: Random, split: Split) -> str:
    """Two precise edits in one prompt, the second made after the first."""
    first, second = edits
    middle = outcomes(before, first)[0]
    joiner = rng.choice(wording.JOINERS[split])
    texts = (
        phrase(before, first, rng, Style.PRECISE, split),
        phrase(middle, second, rng, Style.PRECISE, split).removeprefix("now "),
    )
    return joiner.join(texts)


def exact_ref(place: Place, item: Item) -> Ref:
    """The reference that names an item with everything there is to say about it."""
    return Ref(item.kind, item.colour, item.stage, item.glyph, place)


def _the_item(scene: Scene, ref: Ref) -> tuple[Place, Item]:
    place = ref.find(scene)[0]
    return place, dict(scene.items)[place]


def _ref_words(ref: Ref, rng: Random, split: Split) -> str:
    name = f"the {wording.thing_name(ref)}"
    return name if ref.place is None else f"{name} {place_phrase(ref.place, rng, split)}"


def _loose_ref(scene: Scene, place: Place, item: Item, *, style: Style) -> Ref:
    """The shortest reference that still means this item; vague ones may mean several."""
    by_kind = Ref(item.kind, glyph=item.glyph)
    by_look = Ref(item.kind, item.colour, glyph=item.glyph)
    if style is Style.VAGUE or by_kind.find(scene) == (place,):
        return by_kind
    return by_look if by_look.find(scene) == (place,) else exact_ref(place, item)


def _ref_for(scene: Scene, ref: Ref, *, style: Style) -> Ref:
    place, item = _the_item(scene, ref)
    if style is not Style.PRECISE:
        return _loose_ref(scene, place, item, style=style)
    return exact_ref(place, item)


def _with_comma(template: str, slot: str, words: str, *, has_place: bool) -> str:
    """Close a place name with a comma where the sentence goes on after it."""
    return f"{words}," if has_place and not template.endswith(slot) else words


def _fill(
    table: wording.Templates, scene: Scene, ref: Ref, *,
    rng: Random, style: Style, split: Split, **slots: str,
) -> str:  # fmt: skip
    template = rng.choice(table[style][split])
    named = _ref_for(scene, ref, style=style)
    words = _ref_words(named, rng, split)
    words = _with_comma(template, "{ref}", words, has_place=named.place is not None)
    return template.format(ref=words, **slots)


def _anchor(scene: Scene, target: Place, *, skip: Place | None) -> list[tuple[Relation, Ref]]:
    """Each relation and neighbouring item that fixes the target place without doubt."""
    found: list[tuple[Relation, Ref]] = []
    for place, item in scene.items:
        if place == skip:
            continue
        ref = _loose_ref(scene, place, item, style=Style.RELATIVE)
        found.extend(
            (relation, ref)
            for relation in Relation
            if places_meant(scene, Beside(relation, ref)) == (target,)
        )
    return found


def _phrase_add(
    scene: Scene, item: Item, place: Place, *, rng: Random, style: Style, split: Split
) -> str:
    slots = {"item": wording.item_phrase(item)}
    if style is Style.RELATIVE:
        anchors = _anchor(scene, place, skip=None)
        if anchors:
            relation, ref = rng.choice(anchors)
            slots["relation"] = rng.choice(wording.RELATION_PHRASES[relation][split])
            slots["anchor"] = _ref_words(ref, rng, split)
        else:
            style = Style.PRECISE
    slots["place"] = place_phrase(place, rng, split)
    text = rng.choice(wording.ADD[style][split]).format(**slots)
    return text.replace("draw ", "write ", 1) if item.glyph is not None else text


def _self_relations(scene: Scene, source: Place, target: Place, ref: Ref) -> list[Relation]:
    """The directions in which the item can be said to move by one place."""
    if ref.find(scene) != (source,):
        return []
    return [r for r in Relation if places_meant(scene, Beside(r, ref)) == (target,)]


def _phrase_move(
    scene: Scene, ref: Ref, target: Place, *, rng: Random, style: Style, split: Split
) -> str:
    source, item = _the_item(scene, ref)
    named = _ref_for(scene, ref, style=style)
    templates = wording.MOVE[style][split]
    slots: dict[str, str] = {}
    if style is Style.RELATIVE:
        steps = _self_relations(scene, source, target, named)
        anchors = _anchor(scene, target, skip=source)
        if steps:
            slots["direction"] = wording.DIRECTION_PHRASES[steps[0]]
            templates = tuple(t for t in templates if "{direction}" in t)
        elif anchors:
            relation, anchor = rng.choice(anchors)
            slots["relation"] = rng.choice(wording.RELATION_PHRASES[relation][split])
            slots["anchor"] = _ref_words(anchor, rng, split)
            templates = tuple(t for t in templates if "{anchor}" in t)
        else:
            return _phrase_move(scene, ref, target, rng=rng, style=Style.PRECISE, split=split)
    template = rng.choice(templates)
    words = _ref_words(named, rng, split)
    slots["ref"] = _with_comma(template, "{ref}", words, has_place=named.place is not None)
    slots["thing"] = _ref_words(replace(exact_ref(source, item), place=None), rng, split)
    slots["spot"], slots["target"] = spot(source, rng, split), spot(target, rng, split)
    return template.format(**slots)


def _grown_item(scene: Scene, ref: Ref) -> Item:
    _, item = _the_item(scene, ref)
    return replace(item, stage=(item.stage or 0) + 1)


def _phrase_background(
    scene: Scene, edit: SetBackground, *, rng: Random, style: Style, split: Split
) -> str:
    target = outcomes(scene, edit)[0].background
    same_setting = target.setting == scene.background.setting
    if same_setting and (style is not Style.PRECISE or rng.random() < 0.5):
        text = rng.choice(wording.CHANGE_TIME[style][split]).format(time=target.time)
        return text.replace("the time", "the weather") if target.time == "rain" else text
    same_time = target.time == scene.background.time
    words = wording.background_phrase(target)
    if same_time and style is not Style.PRECISE:
        words = wording.SETTING_NAMES[target.setting]
    return rng.choice(wording.CHANGE_SETTING[style][split]).format(background=words)
