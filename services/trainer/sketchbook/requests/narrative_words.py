"""The words of visual stories: templates, motions, growths, and who can move.

Here live only tables. Not here: the requests made of them (``narrative``, ``growing``).
"""

from __future__ import annotations

from services.trainer.sketchbook.requests.texts import (
    Wordings,
)
from services.trainer.sketchbook.world import (
    Item,
    Relation,
)

DAY = ("morning", "day", "evening", "night")

STORY_KINDS = (
    "house",
    "boat",
    "car",
    "ball",
    "umbrella",
    "cat",
    "fish",
    "bird",
    "kite",
    "flower",
    "cow",
    "dog",
    "hen",
    "tree",
    "snowman",
    "mushroom",
    "balloon",
)

COMPANIONS = (
    Item("cloud"),
    Item("bird", "white"),
    Item("balloon", "yellow"),
    Item("bee"),
    Item("kite", "green"),
)

DAY_STORY = Wordings(
    train=(
        "tell the story of {subject}{place} from {t1} to {t2}",
        "show {subject}{place} from {t1} until {t2}",
        "draw a picture story of {subject}{place} from {t1} to {t2}",
        "show a day in the life of {subject}{place} from {t1} to {t2}",
        "tell a story about {subject}{place} that lasts from {t1} to {t2}",
        "make pictures of {subject}{place}, from {t1} until {t2}",
    ),
    heldout=(
        "show the story of {subject}{place} from {t1} until {t2}",
        "draw a story about {subject}{place} that lasts from {t1} to {t2}",
        "tell a picture story of {subject}{place}, from {t1} until {t2}",
    ),
)

JOURNEY = Wordings(
    train=(
        "tell the story of {subject} that travels from {s1} to {s2}",
        "show the journey of {subject} from {s1} to {s2}",
        "draw how {subject} goes from {s1} to {s2}",
        "make a picture story: {subject} travels from {s1} to {s2}",
    ),
    heldout=(
        "draw the journey of {subject} from {s1} to {s2}",
        "tell the story of how {subject} goes from {s1} to {s2}",
        "show how {subject} travels from {s1} to {s2}",
    ),
)

MOTION = Wordings(
    train=(
        "show how {subject} {motion}",
        "draw {subject} as it {motion}",
        "tell the story of {subject} that {motion}",
        "make pictures of how {subject} {motion}",
    ),
    heldout=(
        "draw how {subject} {motion}",
        "show {subject} as it {motion}",
        "tell the story of how {subject} {motion}",
    ),
    more=(
        "let me see how {subject} {motion}",
        "tell how {subject} {motion}",
        "a picture story: {subject} {motion}",
        "paint {subject} while it {motion}",
    ),
)

MOTIONS: dict[Relation, dict[str, Wordings]] = {
    Relation.ABOVE: {
        "balloon": Wordings(("rises into the sky", "flies up"), ("rises up",)),
        "kite": Wordings(("flies up", "rises into the sky"), ("flies up into the sky",)),
        "bird": Wordings(("flies up", "rises into the sky"), ("flies up into the sky",)),
        "bee": Wordings(("flies up",), ("flies up into the sky",)),
        "sun": Wordings(("rises", "goes up"), ("rises up",)),
    },
    Relation.BELOW: {
        "balloon": Wordings(("comes down", "sinks to the ground"), ("sinks down",)),
        "bird": Wordings(("flies down", "comes down"), ("comes down to the ground",)),
        "kite": Wordings(("comes down", "sinks to the ground"), ("sinks down",)),
        "apple": Wordings(("falls down", "falls to the ground"), ("falls down to the ground",)),
        "sun": Wordings(("goes down", "sinks"), ("sinks down",)),
    },
    Relation.RIGHT_OF: {},
    Relation.LEFT_OF: {},
}

WALKERS = {
    "boat": "sails",
    "car": "drives",
    "cat": "walks",
    "cow": "walks",
    "dog": "runs",
    "hen": "walks",
    "ball": "rolls",
    "fish": "swims",
    "bird": "flies",
    "cloud": "drifts",
}

for _kind, _verb in WALKERS.items():
    MOTIONS[Relation.RIGHT_OF][_kind] = Wordings(
        (f"{_verb} to the right", f"{_verb} from left to right"),
        (f"{_verb} from the left to the right",),
    )
    MOTIONS[Relation.LEFT_OF][_kind] = Wordings(
        (f"{_verb} to the left", f"{_verb} from right to left"),
        (f"{_verb} from the right to the left",),
    )

GROWTHS = {
    "tree": Wordings(
        (
            "how a tree grows",
            "a seedling that becomes a big tree",
            "a tree from seedling to big tree",
        ),
        ("how a seedling becomes a big tree", "how a tree grows from a seedling"),
    ),
    "flower": Wordings(
        (
            "how a {colour}flower grows",
            "a {colour}flower from sprout to bloom",
            "how a {colour}flower opens",
        ),
        ("how a {colour}flower grows from a sprout", "a {colour}flower that opens"),
    ),
    "moon": Wordings(
        ("how the moon becomes full", "the moon from crescent to full moon", "how the moon grows"),
        ("how the crescent becomes a full moon", "the moon that becomes full"),
    ),
    "snowman": Wordings(
        (
            "how a snowman is built",
            "a snowman from the first snowball on",
            "how children build a snowman",
        ),
        ("how a snowman is built from the first snowball on", "a snowman that children build"),
    ),
}

GROWTH_STORY = Wordings(
    train=(
        "show {growth}",
        "tell the story of {growth}",
        "draw {growth}",
        "make a picture story of {growth}",
    ),
    heldout=(
        "show the story of {growth}",
        "draw a picture story of {growth}",
        "make pictures of {growth}",
    ),
)

GATHERING = Wordings(
    train=(
        "show how {n} {things} come together{place}, one by one",
        "draw {n} {things}{place}, one after the other",
        "tell the story of {n} {things} that come together{place}, one by one",
    ),
    heldout=(
        "draw how {n} {things} come together{place}, one after the other",
        "show {n} {things}{place}, one by one",
    ),
    more=(
        "let me see {n} {things}{place}, one more each time",
        "show me {n} {things}{place}, one at a time",
        "draw {n} {things}{place}, one by one",
        "paint {n} {things} one by one{place}",
    ),
)

SPELLING = Wordings(
    train=(
        "write the word {word}, one letter at a time",
        "spell {word} letter by letter",
        "show me how to write {word}, letter by letter",
    ),
    heldout=("spell the word {word}, one letter at a time", "write {word} letter by letter"),
    more=(
        "write {word}, one letter after the other",
        "show {word} letter by letter",
        "write {word} with one letter each time",
        "spell out {word}",
        "print the word {word} letter by letter",
    ),
)

COUNTING = Wordings(
    train=(
        "count from {a} to {b}",
        "write the numbers from {a} to {b}, one at a time",
        "show me how to count from {a} to {b}",
    ),
    heldout=(
        "write the numbers from {a} to {b} one by one",
        "count from {a} to {b}, one at a time",
    ),
    more=(
        "count up from {a} to {b}, one by one",
        "show the numbers from {a} to {b} one after the other",
        "draw the numbers from {a} to {b}, one each time",
    ),
)

WORDS = (
    "CAT",
    "DOG",
    "SUN",
    "HI",
    "BOAT",
    "STAR",
    "TREE",
    "MOON",
    "FISH",
    "BIRD",
    "COW",
    "BEE",
    "HEN",
    "CAR",
    "RED",
    "BLUE",
    "HOME",
    "LOVE",
    "YES",
    "NO",
    "WIND",
    "SNOW",
    "PLAY",
    "GO",
)

MOVERS = frozenset((*WALKERS, "balloon", "kite", "bee"))
