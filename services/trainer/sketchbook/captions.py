"""Words about a finished picture: the exact listing and the natural sentence.

The listing is for training perception; the sentence is what a reader gets as the annotation of
a picture. Both can be read back. Not here: prompts (``phrasing``).
"""

from __future__ import annotations

from collections import Counter
from random import Random

from services.trainer.sketchbook import wording
from services.trainer.sketchbook.parsing import (
    UnknownWordingError,
    normalised,
    parse_background,
    parse_things,
)
from services.trainer.sketchbook.phrasing import enumerate_words
from services.trainer.sketchbook.world import Background, Item, Scene, all_items

_SENTENCES = (
    "{background} with {things}",
    "the picture shows {background} with {things}",
    "here is {background} with {things}",
    "we see {background} with {things}",
)
_NOTHING = "nothing in it"


def caption_places(scene: Scene) -> str:
    """The background and every item with its place, in reading order, always worded alike."""
    parts = [wording.background_phrase(scene.background)]
    form = wording.PLACE_NAMES[wording.Split.TRAIN][0][1].removeprefix("the ")
    for place, item in scene.items:
        parts.append(f"{wording.spot_phrase(place, form)}: {wording.item_phrase(item)}")
    return "; ".join(parts)


def list_items(scene: Scene) -> str:
    """The background and every item under its kind, with its place, as edits name them.

    Whoever looks a thing up here by its kind finds behind it, in order, what an exact reference
    to it says: a model of a few layers can copy that, but not gather it from before the kind.
    """
    parts = [wording.background_phrase(scene.background)]
    form = wording.PLACE_NAMES[wording.Split.TRAIN][0][1]
    for place, item in scene.items:
        name = wording.thing_name(item)
        kind = name.split()[0] if item.glyph else item.kind
        parts.append(f"{kind}: {name} in {wording.spot_phrase(place, form)}")
    return "; ".join(parts)


def parse_caption(text: str) -> Scene:
    """Read back what ``caption_places`` says.

    Raises:
        UnknownWordingError: The text is no such caption.
    """
    head, *parts = text.lower().strip().split("; ")
    described: list[str] = []
    for part in parts:
        where, _, item = part.partition(": ")
        described.append(f"{item} in the {where}")
    try:
        things = parse_things(", ".join(described))
        items = {place: item for item, place in things if place is not None}
    except KeyError as error:
        raise UnknownWordingError(str(error)) from error
    if len(items) != len(parts):
        raise UnknownWordingError(f"not a caption: {text!r}")
    return Scene.of(parse_background(head), items)


def sentence(scene: Scene, rng: Random | None = None) -> str:
    """One natural sentence: the background and its items, equal ones counted, no places.

    Without a random source it is the one canonical sentence of the scene, in reading order.
    """
    counts = Counter(item for _, item in scene.items)
    things = [_counted(item, number) for item, number in counts.items()]
    template = rng.choice(_SENTENCES) if rng else _SENTENCES[0]
    text = template.format(
        background=wording.background_phrase(scene.background),
        things=enumerate_words(things) or _NOTHING,
    )
    return f"{text[0].upper()}{text[1:]}."


def read_sentence(text: str) -> tuple[Background, Counter[Item]]:
    """What a sentence says is there.

    Raises:
        UnknownWordingError: The sentence is not one of ours.
    """
    plain = normalised(text)
    for template in _SENTENCES:
        plain = plain.removeprefix(template.partition("{")[0] or "\0")
    background, found, things = plain.partition(" with ")
    if not found:
        raise UnknownWordingError(f"not a sentence about a picture: {text!r}")
    if things == _NOTHING:
        return parse_background(background), Counter()
    return parse_background(background), _read_counted(things)


def sentence_is_right(scene: Scene, text: str | None) -> bool:
    """Whether a sentence names exactly the background and items of the scene."""
    try:
        background, counts = read_sentence(text or "")
    except UnknownWordingError:
        return False
    return background == scene.background and counts == Counter(item for _, item in scene.items)


def _counted(item: Item, number: int) -> str:
    if number == 1:
        return wording.item_phrase(item)
    words = wording.NUMBER_WORDS
    spelled = words[number] if number < len(words) else str(number)
    return f"{spelled} {wording.plural(wording.thing_name(item))}"


_PLURALS = {wording.plural(wording.thing_name(item)).lower(): item for item in all_items()}


def _read_counted(text: str) -> Counter[Item]:
    counts: Counter[Item] = Counter()
    for part in text.replace(", and ", ", ").replace(" and ", ", ").split(", "):
        number, _, name = part.partition(" ")
        if name in _PLURALS and (number.isdigit() or number in wording.NUMBER_WORDS):
            many = int(number) if number.isdigit() else wording.NUMBER_WORDS.index(number)
            counts[_PLURALS[name]] += many
        else:
            ((item, _place),) = parse_things(part)
            counts[item] += 1
    return counts
