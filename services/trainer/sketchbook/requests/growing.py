"""Stories in which something grows or gathers: stages, equal things, signs."""

from __future__ import annotations

from random import Random

from services.trainer.sketchbook import goals
from services.trainer.sketchbook.goals import Goal
from services.trainer.sketchbook.requests.model import SketchRequest
from services.trainer.sketchbook.requests.narrative_words import (
    COUNTING,
    GATHERING,
    GROWTH_STORY,
    GROWTHS,
    SPELLING,
    WORDS,
)
from services.trainer.sketchbook.requests.plans import Planner
from services.trainer.sketchbook.requests.telling import (
    fill_up_around,
    how_many,
    ref_of,
    start_growth,
    story,
)
from services.trainer.sketchbook.requests.texts import (
    DEFAULT_COLOURS,
    HOMES,
    IN_PICTURES,
    counted,
    finished,
    polite,
    sample_asked,
    sample_location,
    sample_subject,
)
from services.trainer.sketchbook.scenes import standard_place
from services.trainer.sketchbook.wording import (
    NUMBER_WORDS,
    Split,
    plural,
)
from services.trainer.sketchbook.world import (
    GLYPH_KIND,
    GLYPHS,
    GRID,
    STAGES,
    Background,
    Item,
    Place,
    Ref,
    Scene,
)


def growth_story(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """Something that grows through its three stages."""
    kind = rng.choice(("tree", "flower") if implicit else tuple(GROWTHS))
    said = kind == "flower" and not implicit and rng.random() < 0.6
    subject = sample_subject(rng, split, (kind,), implicit=implicit, stage=1)
    item = subject.item
    if said:
        item = Item(kind, rng.choice(tuple(DEFAULT_COLOURS.values())), 1)
    asked = sample_asked(rng, (3, 4, 5))
    words = GROWTHS[kind].pick(rng, split, item.colour or kind)
    words = words.format(colour=f"{item.colour} " if said else "")
    if implicit:
        words = f"how {subject.words} grows"
    text = GROWTH_STORY.pick(rng, split, kind).format(growth=words)
    plan = Planner()
    start_growth(plan, item, HOMES.get(kind, "meadow"))
    fill_up_around(plan, (asked or 3) - 3)
    for _ in STAGES[1:]:
        plan.grow(Ref(kind))
    ref = Ref(kind, item.colour if said else None)
    checks = (
        how_many(plan, asked),
        goals.Always(ref),
        goals.StagesRise(ref, 1, 3),
        goals.Changing(),
    )
    text = counted(polite(text, rng, split), asked, rng, split, wordings=IN_PICTURES)
    return story(finished(text, rng), plan, Goal(checks), asked=asked, implicit=implicit)


def gathering(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """Equal things that come together, one more in each picture."""
    kinds = (
        "boat",
        "fish",
        "bird",
        "balloon",
        "flower",
        "star",
        "cow",
        "hen",
        "bee",
        "tree",
        "apple",
        "mushroom",
        "house",
        "car",
    )
    subject = sample_subject(rng, split, kinds)
    item = subject.item
    name = f"{item.colour} {item.kind}" if subject.colour_said else item.kind
    setting, place_words, said = sample_location(rng, split, item.kind, implicit=implicit)
    number = rng.randint(2, 5)
    template = GATHERING.pick(rng, split, f"{item.kind}{number}")
    spelled = NUMBER_WORDS[number] if rng.random() < 0.7 else str(number)
    text = template.format(n=spelled, things=plural(name), place=place_words)
    time = "night" if item.kind == "star" else "day"
    plan = Planner()
    blank = Scene(Background(setting, time))
    plan.start(blank.with_item(standard_place(blank, item.kind), item), "The first")
    for _ in range(number - 1):
        plan.add(item)
    ref = ref_of(subject)
    checks = (
        goals.Pictures(number),
        goals.OneMoreEach(ref, 1),
        goals.EndsWith(((ref, number),), exactly=True),
        goals.BackgroundAt(0, setting if said else None),
    )
    return story(finished(text, rng), plan, Goal(checks), asked=None, implicit=implicit)


def signs(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """A word or a row of numbers written one sign at a time (never implicit)."""
    if implicit:
        return gathering(rng, split, implicit=True)
    if rng.random() < 0.5:
        first = rng.randint(0, 7)
        last = rng.randint(first + 1, min(9, first + 4))
        word = "".join(str(digit) for digit in range(first, last + 1))
        template = COUNTING.pick(rng, split, word)
        text = template.format(a=spelled_number(first, rng), b=spelled_number(last, rng))
    else:
        letters = "".join(rng.choice(GLYPHS[10:]) for _ in range(rng.randint(2, 4)))
        word = rng.choice(WORDS) if rng.random() < 0.6 else letters
        text = SPELLING.pick(rng, split, word).format(word=word)
    plan = Planner()
    write(plan, word)
    checks = (goals.Pictures(len(word)), goals.Reads(word), goals.OneMoreEach(Ref(GLYPH_KIND), 1))
    return story(finished(text, rng), plan, Goal(checks), asked=None, implicit=False)


def spelled_number(number: int, rng: Random) -> str:
    """A digit or, for one to eight, maybe its word."""
    spell = 0 < number < len(NUMBER_WORDS) and rng.random() < 0.4
    return NUMBER_WORDS[number] if spell else str(number)


def sign_place(index: int) -> Place:
    """Where the sign with this index stands: the upper row, then the lower one."""
    return Place(1 + index // GRID, index % GRID)


def write(plan: Planner, word: str) -> None:
    """Write a word on paper, one sign a picture."""
    sign = Item(GLYPH_KIND, glyph=word[0])
    plan.start(Scene(Background("paper")).with_item(sign_place(0), sign), f"{word[0]}")
    for index, glyph in enumerate(word[1:], start=1):
        plan.add(Item(GLYPH_KIND, glyph=glyph), sign_place(index))
