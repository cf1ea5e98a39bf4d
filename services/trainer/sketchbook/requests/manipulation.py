"""Manipulation: stacking, towers, swapping, clearing and painting, one move at a time."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from services.trainer.sketchbook import goals
from services.trainer.sketchbook.goals import Goal
from services.trainer.sketchbook.knowledge import COLOURS as KNOWN_COLOURS
from services.trainer.sketchbook.knowledge import KINDS as KNOWN_KINDS
from services.trainer.sketchbook.phrasing import enumerate_words
from services.trainer.sketchbook.requests.model import IMAGE_MARK, SketchRequest, Use
from services.trainer.sketchbook.requests.plans import Planner
from services.trainer.sketchbook.requests.texts import (
    DEFAULT_COLOURS,
    Wordings,
    counted,
    finished,
    polite,
)
from services.trainer.sketchbook.scenes import standard_place
from services.trainer.sketchbook.wording import Split, item_phrase, plural, thing_name
from services.trainer.sketchbook.world import (
    COLOURED_KINDS,
    COLOURS,
    GRID,
    Background,
    Item,
    Place,
    Ref,
    Relation,
    Scene,
)

STACK = Wordings(
    train=(
        "put {a} on {b}, one move at a time",
        "put {a} on top of {b}",
        "stack {a} on {b}",
        "move {a} onto {b}, one move at a time",
        "{a} goes on {b}: show each move",
    ),
    heldout=(
        "stack {a} on top of {b}, one move at a time",
        "put {a} onto {b}",
        "move {a} on top of {b}: show each move",
    ),
    more=(
        "set {a} on top of {b}, one move at a time",
        "lift {a} onto {b}",
        "stack {a} onto {b}",
        "bring {a} on top of {b}, one move at a time",
    ),
)
TOWER = Wordings(
    train=(
        "build a tower of the {list} blocks, with the {first} one at the bottom",
        "stack the blocks from the bottom up: {list}",
        "make a tower, one move at a time, from the bottom up: {list}",
    ),
    heldout=(
        "build a tower from the bottom up, one move at a time: {list}",
        "stack the {list} blocks, with the {first} one at the bottom",
    ),
    more=(
        "build a tower of blocks from the bottom up: {list}",
        "stack blocks from the bottom up, one move at a time: {list}",
        "make a tower of the {list} blocks, one move at a time",
        "pile up the {list} blocks, with the {first} one at the bottom",
    ),
)
SWAP = Wordings(
    train=(
        "swap {a} and {b}",
        "let {a} and {b} change places",
        "swap {a} with {b}, one move at a time",
    ),
    heldout=("swap {a} and {b}, one move at a time", "let {a} change places with {b}"),
    more=(
        "change the places of {a} and {b}",
        "let {a} swap places with {b}",
        "make {a} and {b} trade places, one move at a time",
    ),
)
CLEAR = Wordings(
    train=(
        "take away everything but {a}, one thing at a time",
        "remove all but {a}, one at a time",
        "clear the picture until only {a} is left",
    ),
    heldout=(
        "remove everything but {a}, one thing at a time",
        "clear everything until only {a} is left",
    ),
    more=(
        "take everything away until only {a} is left",
        "erase all but {a}, one thing at a time",
        "clear away everything but {a}",
        "remove all the others until {a} is left",
    ),
)
PAINT = Wordings(
    train=(
        "paint all the {things} {colour}, one at a time",
        "make every {thing} {colour}, one by one",
        "show how all the {things} are painted {colour}",
    ),
    heldout=(
        "paint every {thing} {colour}, one by one",
        "make all the {things} {colour}, one at a time",
    ),
    more=(
        "turn every {thing} {colour}, one at a time",
        "colour all the {things} {colour}, one by one",
        "paint the {things} {colour}, one after the other",
    ),
)
IN_MOVES = Wordings(
    train=("{text} in {n} moves", "{text}, with {n} moves", "in {n} moves, {text}"),
    heldout=("with {n} moves, {text}", "{text}, in {n} moves"),
)
START = Wordings(
    train=("there is {things}. {text}", "start with {things}. {text}", "I have {things}. {text}"),
    heldout=("we start with {things}. {text}", "there is {things} to start with. {text}"),
)
LOOK = Wordings(
    train=(
        f"{IMAGE_MARK} {{text}}",
        f"here is a picture: {IMAGE_MARK} {{text}}",
        f"look at this picture {IMAGE_MARK}. {{text}}",
    ),
    heldout=(
        f"look at this: {IMAGE_MARK} {{text}}",
        f"here is this picture {IMAGE_MARK}. {{text}}",
    ),
)
_ON_TOP_KINDS = ("ball", "apple", "cat", "hen", "mushroom", "bird")
_MIXED_KINDS = ("house", "boat", "car", "ball", "cat", "cow", "dog", "hen", "umbrella", "apple")
_SETTINGS = ("meadow", "beach", "town", "desert", "snow", "paper")


def _coloured(kind: str, rng: Random) -> Item:
    return Item(kind, rng.choice(COLOURS) if kind in COLOURED_KINDS else None)


def _blocks(rng: Random, number: int) -> list[Item]:
    return [Item("block", colour) for colour in rng.sample(COLOURS, number)]


def _ref(item: Item) -> Ref:
    return Ref(item.kind, item.colour)


def _in_a_row(items: list[Item], background: Background) -> Scene:
    """The start a text describes: the bottom row, in the order of mention."""
    step = 2 if len(items) == 2 else 1
    return Scene.of(background, {Place(3, i * step): item for i, item in enumerate(items)})


def _scattered(items: list[Item], rng: Random) -> Scene:
    """The start a picture shows: the bottom row in any order."""
    columns = rng.sample(range(GRID), len(items))
    background = Background(rng.choice(_SETTINGS))
    return Scene.of(background, {Place(3, c): i for c, i in zip(columns, items, strict=True)})


def _begin(scene: Scene, *, given: bool) -> Planner:
    if given:
        return Planner(scene, given=1)
    plan = Planner()
    plan.start(scene, "The start")
    return plan


def _finish(
    text: str,
    plan: Planner,
    start: Scene,
    checks: tuple[goals.Check, ...],
    *,
    rng: Random,
    split: Split,
    given: bool,
    implicit: bool,
    items: list[Item] | None = None,
) -> SketchRequest:
    """Ask for the natural number of moves now and then; show or describe the start."""
    moves = plan.count - (0 if given else 1)
    asked = plan.count if rng.random() < 0.35 and given and moves > 1 else None
    text = counted(polite(text, rng, split), asked, rng, split, wordings=IN_MOVES)
    text = finished(text, rng)
    if given:
        text = LOOK.pick(rng, split, text).format(text=text)
    elif items and rng.random() < 0.6:
        things = enumerate_words([item_phrase(item) for item in items])
        text = START.pick(rng, split, things).format(things=things, text=text)
    if rng.random() < 0.5:
        text = text[0].upper() + text[1:]
    how_many = goals.Pictures(asked) if asked else goals.Pictures(plan.count, exactly=False)
    images = (start,) if given else ()
    return SketchRequest(
        text, images, Use.MANIPULATION, implicit, asked, plan.steps(), Goal((how_many, *checks))
    )


def _names(a: Item, b: Item, rng: Random, split: Split, *, hide: bool) -> tuple[str, str]:
    name_a = KNOWN_KINDS[a.kind].words(rng, split) if hide else f"the {thing_name(a)}"
    same = a.kind == b.kind and rng.random() < 0.6
    return name_a, f"the {b.colour} one" if same else f"the {thing_name(b)}"


def stack(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """One thing on another; in a picture something else may stand in the way."""
    given = rng.random() < 0.5
    upper, lower, other = _blocks(rng, 3)
    if implicit or rng.random() < 0.3:
        upper = Item(kind := rng.choice(_ON_TOP_KINDS), DEFAULT_COLOURS.get(kind))
    name_a, name_b = _names(upper, lower, rng, split, hide=implicit)
    template = STACK.pick(rng, split, f"{upper.colour}{lower.colour}")
    text = template.format(a=name_a, b=name_b)
    items = [upper, lower]
    start = _scattered(items, rng) if given else _in_a_row(items, Background("paper"))
    blocked = given and rng.random() < 0.3
    if blocked:
        start = start.with_item(_ref(lower).find(start)[0].moved(-1, 0), other)
    plan = _begin(start, given=given)
    if blocked:
        plan.move(
            _ref(other),
            standard_place(start, "block"),
            instruction=f"First move the {thing_name(other)} out of the way.",
        )
    plan.stack(_ref(upper), _ref(lower))
    checks = (
        goals.NextTo(_ref(upper), Relation.ABOVE, _ref(lower)),
        goals.OneThingEach(start if given else None),
    )
    return _finish(
        text, plan, start, checks, rng=rng, split=split, given=given, implicit=implicit, items=items
    )


def tower(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """Three or four blocks, one on the other (never implicit)."""
    if implicit:
        return stack(rng, split, implicit=True)
    given = rng.random() < 0.5
    blocks = _blocks(rng, rng.choice((3, 3, 4)))
    colours = [block.colour or "" for block in blocks]
    text = TOWER.pick(rng, split, colours[0] + colours[1])
    text = text.format(list=enumerate_words(colours), first=colours[0])
    start = _scattered(blocks, rng) if given else _in_a_row(blocks, Background("paper"))
    plan = _begin(start, given=given)
    checks: list[goals.Check] = [goals.OneThingEach(start if given else None)]
    for below, above in pairwise(blocks):
        plan.stack(_ref(above), _ref(below))
        checks.append(goals.NextTo(_ref(above), Relation.ABOVE, _ref(below)))
    return _finish(
        text,
        plan,
        start,
        tuple(checks),
        rng=rng,
        split=split,
        given=given,
        implicit=False,
        items=blocks,
    )


def swap(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """Two things change places by way of a third place."""
    given = rng.random() < 0.5
    first, second = (_coloured(kind, rng) for kind in rng.sample(_MIXED_KINDS, 2))
    name_a = KNOWN_KINDS[first.kind].words(rng, split) if implicit else f"the {thing_name(first)}"
    name_b = f"the {thing_name(second)}"
    text = SWAP.pick(rng, split, first.kind + second.kind).format(a=name_a, b=name_b)
    items = [first, second]
    start = _scattered(items, rng) if given else _in_a_row(items, Background("meadow"))
    plan = _begin(start, given=given)
    place_a, place_b = _ref(first).find(start)[0], _ref(second).find(start)[0]
    side, name = standard_place(start, first.kind), thing_name(first)
    plan.move(_ref(first), side, instruction=f"First move the {name} out of the way.")
    plan.move(_ref(second), place_a, instruction=f"Now the {thing_name(second)} takes its place.")
    plan.move(_ref(first), place_b, instruction=f"Then the {name} takes the other place.")
    checks = (
        goals.OneThingEach(start if given else None),
        goals.EndsAs(((place_a, second), (place_b, first)))
        if given
        else goals.Swapped(_ref(first), _ref(second)),
    )
    return _finish(
        text, plan, start, checks, rng=rng, split=split, given=given, implicit=implicit, items=items
    )


def clear(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """Everything but one thing is taken away, in reading order."""
    items = [_coloured(kind, rng) for kind in rng.sample(_MIXED_KINDS, rng.randint(2, 4))]
    start = _scattered(items, rng)
    kept = rng.choice(items)
    name = KNOWN_KINDS[kept.kind].words(rng, split) if implicit else f"the {kept.kind}"
    text = CLEAR.pick(rng, split, kept.kind).format(a=name)
    plan = _begin(start, given=True)
    for _, item in start.items:
        if item != kept:
            plan.remove(_ref(item))
    wanted = tuple((place, item if item == kept else None) for place, item in start.items)
    checks = (goals.EndsAs(wanted), goals.OneThingEach(start, same_items=False))
    return _finish(text, plan, start, checks, rng=rng, split=split, given=True, implicit=implicit)


def paint(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """Every thing of a kind gets the same colour, one after the other."""
    kind = rng.choice(("house", "boat", "car", "block", "ball", "balloon", "cat", "fish"))
    colour = rng.choice(COLOURS)
    others = [name for name in COLOURS if name != colour]
    items = [Item(kind, rng.choice(others)) for _ in range(rng.randint(2, 3))]
    if rng.random() < 0.5:
        items.append(Item(rng.choice(("cow", "hen", "tree")), stage=None))
        items[-1] = Item("tree", stage=3) if items[-1].kind == "tree" else items[-1]
    start = _scattered(items, rng)
    words = KNOWN_COLOURS[colour].words(rng, split) if implicit else colour
    template = PAINT.pick(rng, split, kind + colour)
    text = template.format(things=plural(kind), thing=kind, colour=words)
    plan = _begin(start, given=True)
    wanted: list[tuple[Place, Item | None]] = []
    for place, item in start.items:
        painted = item.kind == kind
        if painted:
            plan.paint(Ref(kind, item.colour, place=place), colour)
        wanted.append((place, Item(kind, colour) if painted else item))
    checks = (goals.EndsAs(tuple(wanted)), goals.OneThingEach(start, same_items=False))
    return _finish(text, plan, start, checks, rng=rng, split=split, given=True, implicit=implicit)


FORMS = ((stack, 0.4), (tower, 0.16), (swap, 0.14), (clear, 0.15), (paint, 0.15))
