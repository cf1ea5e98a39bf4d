"""Pictures of several things that have a name: a village, a farm, a harbour ...

Not here: the requests for them (``guidance``, ``continuation``).
"""

from __future__ import annotations

from dataclasses import dataclass

from services.trainer.sketchbook.world import (
    Item,
    Place,
)


@dataclass(frozen=True, slots=True)
class Composition:
    """A picture of several things that has a name."""

    name: str
    setting: str
    items: tuple[tuple[Item, Place], ...]
    """The first three belong to it, the rest is decoration."""
    train: tuple[str, ...]
    heldout: tuple[str, ...]


def _house(colour: str) -> Item:
    return Item("house", colour)


_TREE = Item("tree", stage=3)

_SUN, _CLOUD, _BIRD = Item("sun"), Item("cloud"), Item("bird", "blue")

COMPOSITIONS = (
    Composition(
        "village",
        "meadow",
        (
            (_house("red"), Place(3, 0)),
            (_house("blue"), Place(3, 1)),
            (_TREE, Place(3, 2)),
            (_house("yellow"), Place(3, 3)),
            (_BIRD, Place(1, 1)),
            (_CLOUD, Place(0, 2)),
        ),
        ("a place with a few houses where farmers live",),
        ("a few houses where farmers live",),
    ),
    Composition(
        "farm",
        "meadow",
        (
            (_house("red"), Place(3, 0)),
            (Item("cow"), Place(3, 1)),
            (Item("hen"), Place(3, 2)),
            (Item("dog"), Place(3, 3)),
            (_TREE, Place(2, 0)),
            (_SUN, Place(0, 3)),
        ),
        ("the place where cows and hens live",),
        ("the place where milk and eggs come from",),
    ),
    Composition(
        "harbour",
        "sea",
        (
            (Item("boat", "red"), Place(3, 0)),
            (Item("boat", "blue"), Place(3, 1)),
            (Item("boat", "yellow"), Place(3, 2)),
            (Item("fish", "orange"), Place(3, 3)),
            (Item("bird", "white"), Place(1, 2)),
            (_SUN, Place(0, 3)),
        ),
        ("the place where boats stay when they are not sailing",),
        ("the place where boats stay",),
    ),
    Composition(
        "garden",
        "meadow",
        (
            (Item("flower", "red", 3), Place(3, 0)),
            (Item("flower", "yellow", 3), Place(3, 1)),
            (Item("flower", "pink", 3), Place(3, 2)),
            (_TREE, Place(3, 3)),
            (Item("bee"), Place(1, 1)),
            (_SUN, Place(0, 3)),
        ),
        ("the place where people grow flowers",),
        ("the place where flowers grow",),
    ),
    Composition(
        "street",
        "town",
        (
            (Item("car", "blue"), Place(3, 0)),
            (Item("car", "red"), Place(3, 2)),
            (_house("yellow"), Place(2, 1)),
            (_house("pink"), Place(2, 3)),
            (Item("dog"), Place(3, 3)),
            (_CLOUD, Place(0, 1)),
        ),
        ("the place where cars drive between houses",),
        ("the place where cars drive",),
    ),
    Composition(
        "winter scene",
        "snow",
        (
            (Item("snowman", stage=3), Place(3, 1)),
            (_TREE, Place(3, 2)),
            (_house("red"), Place(3, 0)),
            (_TREE, Place(3, 3)),
            (_CLOUD, Place(0, 1)),
            (_BIRD, Place(1, 2)),
        ),
        ("a picture of the season when it snows",),
        ("a picture of the cold season",),
    ),
    Composition(
        "starry sky",
        "town",
        (
            (Item("moon", stage=3), Place(0, 1)),
            (Item("star"), Place(0, 3)),
            (Item("star"), Place(1, 0)),
            (Item("star"), Place(1, 2)),
            (Item("star"), Place(0, 0)),
            (_house("blue"), Place(3, 1)),
        ),
        ("what you see above the roofs at midnight",),
        ("what you see in the sky at midnight",),
    ),
    Composition(
        "aquarium",
        "sea",
        (
            (Item("fish", "orange"), Place(2, 1)),
            (Item("fish", "blue"), Place(3, 2)),
            (Item("fish", "yellow"), Place(1, 2)),
            (Item("fish", "red"), Place(3, 0)),
            (Item("fish", "purple"), Place(2, 3)),
            (Item("fish", "green"), Place(1, 0)),
        ),
        ("a glass home for pet fish",),
        ("the glass home of pet fish",),
    ),
    Composition(
        "birthday party",
        "meadow",
        (
            (Item("balloon", "red"), Place(1, 0)),
            (Item("balloon", "yellow"), Place(1, 1)),
            (Item("balloon", "blue"), Place(1, 2)),
            (Item("ball", "orange"), Place(3, 1)),
            (Item("cat", "white"), Place(3, 2)),
            (_SUN, Place(0, 3)),
        ),
        ("what children have when they become a year older",),
        ("what people have when they become a year older",),
    ),
    Composition(
        "orchard",
        "meadow",
        (
            (_TREE, Place(2, 0)),
            (_TREE, Place(2, 1)),
            (Item("apple"), Place(3, 0)),
            (Item("apple"), Place(3, 1)),
            (_TREE, Place(2, 2)),
            (_SUN, Place(0, 3)),
        ),
        ("the place where fruit trees grow",),
        ("the place where fruit grows",),
    ),
    Composition(
        "beach holiday",
        "beach",
        (
            (Item("umbrella", "yellow"), Place(3, 1)),
            (Item("ball", "red"), Place(3, 2)),
            (_SUN, Place(0, 2)),
            (Item("kite", "green"), Place(1, 0)),
            (Item("boat", "white"), Place(2, 3)),
            (Item("dog"), Place(3, 0)),
        ),
        ("a summer day where people sunbathe",),
        ("a summer day where people build sand castles",),
    ),
    Composition(
        "forest",
        "meadow",
        (
            (_TREE, Place(3, 0)),
            (_TREE, Place(3, 1)),
            (_TREE, Place(2, 2)),
            (Item("mushroom"), Place(3, 2)),
            (_TREE, Place(2, 3)),
            (_BIRD, Place(0, 1)),
        ),
        ("the place where many trees grow",),
        ("the place where many trees are",),
    ),
)
