"""Wording of requests: templates with kept-back combinations, counts, names, casing.

Not here: the templates themselves, which stand beside the requests they belong to.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from random import Random

from services.trainer.sketchbook import knowledge
from services.trainer.sketchbook.wording import NUMBER_WORDS, Split, article, thing_name
from services.trainer.sketchbook.world import COLOURED_KINDS, COLOURS, Item

_RESERVED_EVERY = 9
"""One (subject, template) combination in so many is never used in training."""


@dataclass(frozen=True, slots=True)
class Wordings:
    """Templates of one sort of request, some of them for measuring only."""

    train: tuple[str, ...]
    heldout: tuple[str, ...]
    more: tuple[str, ...] = ()
    """Further templates for training, none of which is ever kept back."""

    def pick(self, rng: Random, split: Split, subject: str) -> str:
        """A template for a subject.

        Held-out text is either a held-out template or a training template with a subject it
        never has in training.
        """
        kept_back = [t for t in self.train if _reserved(t, subject)]
        if split is Split.TRAIN:
            usual = [t for t in self.train if t not in kept_back] or self.train[:1]
            return rng.choice((*usual, *self.more))
        use_template = not kept_back or kept_back == [self.train[0]] or rng.random() < 0.6
        return rng.choice(self.heldout if use_template else kept_back)


def _reserved(template: str, subject: str) -> bool:
    return zlib.crc32(f"{template}|{subject}".encode()) % _RESERVED_EVERY == 0


IN_PICTURES = Wordings(
    train=(
        "{text} in {n} pictures",
        "{text} with {n} pictures",
        "in {n} pictures, {text}",
        "{text} in {n} images",
    ),
    heldout=("{text} with {n} images", "in {n} images, {text}", "with {n} pictures, {text}"),
)
IN_STEPS = Wordings(
    train=("{text} in {n} steps", "{text} with {n} steps", "in {n} steps, {text}"),
    heldout=("with {n} steps, {text}", "{text}, in {n} steps"),
)
POLITE = Wordings(
    train=("{text}", "{text}", "please {text}", "can you {text}?"),
    heldout=("{text}", "{text}", "please {text}"),
)


def counted(text: str, asked: int | None, rng: Random, split: Split, *, wordings: Wordings) -> str:
    """The text with the number of pictures or steps, if one is asked for."""
    if asked is None:
        return text
    bare = text.removesuffix("?")
    number = NUMBER_WORDS[asked] if rng.random() < 0.6 else str(asked)
    return wordings.pick(rng, split, str(asked)).format(text=bare, n=number) + text[len(bare) :]


def polite(text: str, rng: Random, split: Split) -> str:
    """The order as it stands, or with "please" or "can you" before it."""
    return POLITE.pick(rng, split, text).format(text=text)


def finished(text: str, rng: Random) -> str:
    """The text as somebody might type it: capital letter or not, closing punctuation or not."""
    if rng.random() < 0.6:
        text = text[0].upper() + text[1:]
    closed = text[-1] in "?.:>"
    return text if closed or rng.random() < 0.4 else f"{text}."


def sample_asked(rng: Random, choices: tuple[int, ...]) -> int | None:
    """An explicit number in half of the requests."""
    return rng.choice(choices) if choices and rng.random() < 0.5 else None


DEFAULT_COLOURS = {
    "house": "red",
    "boat": "red",
    "car": "blue",
    "block": "red",
    "ball": "orange",
    "balloon": "pink",
    "umbrella": "yellow",
    "cat": "orange",
    "fish": "orange",
    "bird": "blue",
    "kite": "green",
    "flower": "pink",
}
HOMES = {
    "boat": "sea",
    "fish": "sea",
    "car": "town",
    "house": "town",
    "cat": "town",
    "ball": "beach",
    "umbrella": "beach",
    "kite": "beach",
    "snowman": "snow",
    "star": "town",
    "moon": "town",
}
"""Where a kind is drawn when nothing is said; everything else lives in the meadow."""
LOCATIONS = {
    "meadow": "in a meadow",
    "beach": "on a beach",
    "sea": "on the sea",
    "snow": "in the snow",
    "desert": "in the desert",
    "town": "in a town",
}
SETTING_WORDS = {
    "meadow": "the meadow",
    "beach": "the beach",
    "sea": "the sea",
    "snow": "the snow",
    "desert": "the desert",
    "town": "the town",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing a request is about, and the words for it."""

    item: Item
    words: str
    colour_said: bool


def sample_subject(
    rng: Random, split: Split, kinds: tuple[str, ...], *, implicit: bool = False, stage: int = 3
) -> Subject:
    """A thing of one of the kinds, named or (implicit) paraphrased, in its usual or own colour."""
    if implicit:
        kinds = tuple(kind for kind in kinds if kind in knowledge.KINDS) or kinds
    kind = rng.choice(kinds)
    coloured = kind in COLOURED_KINDS
    said = coloured and rng.random() < 0.5 and not implicit
    colour = (rng.choice(COLOURS) if said else DEFAULT_COLOURS[kind]) if coloured else None
    item = Item(kind, colour, stage if kind in ("tree", "flower", "snowman", "moon") else None)
    if implicit and kind in knowledge.KINDS:
        return Subject(item, knowledge.KINDS[kind].words(rng, split), colour_said=False)
    name = f"{colour} {kind}" if said else kind
    return Subject(item, f"the {name}" if kind == "sun" else article(name), colour_said=said)


def sample_location(
    rng: Random, split: Split, kind: str, *, implicit: bool = False
) -> tuple[str, str, bool]:
    """A setting, the words for it (with a space before, or empty), and whether it was said."""
    home = HOMES.get(kind, "meadow")
    if implicit:
        setting = rng.choice(tuple(knowledge.SETTINGS))
        return setting, f" in {knowledge.SETTINGS[setting].words(rng, split)}", True
    if rng.random() < 0.6:
        return home, "", False
    setting = rng.choice(tuple(LOCATIONS))
    return setting, f" {LOCATIONS[setting]}", True


def time_words(time: str, rng: Random, split: Split, *, implicit: bool) -> str:
    """A time of day, named or paraphrased."""
    return knowledge.TIMES[time].words(rng, split) if implicit else time


def name_of(item: Item) -> str:
    """The bare name of an item for sentences."""
    return thing_name(item)
