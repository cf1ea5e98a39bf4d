"""Visual stories asked for in words alone: days, journeys, movements, growth, gatherings, signs."""

from __future__ import annotations

from random import Random

from services.trainer.sketchbook import goals
from services.trainer.sketchbook.goals import Goal
from services.trainer.sketchbook.knowledge import SETTINGS as KNOWN_SETTINGS
from services.trainer.sketchbook.requests.model import SketchRequest, Use
from services.trainer.sketchbook.requests.plans import Planner
from services.trainer.sketchbook.requests.texts import (
    DEFAULT_COLOURS,
    HOMES,
    IN_PICTURES,
    SETTING_WORDS,
    Subject,
    Wordings,
    counted,
    finished,
    name_of,
    polite,
    sample_asked,
    sample_location,
    sample_subject,
    time_words,
)
from services.trainer.sketchbook.scenes import standard_place
from services.trainer.sketchbook.wording import NUMBER_WORDS, Split, plural
from services.trainer.sketchbook.world import (
    GLYPH_KIND,
    GLYPHS,
    GRID,
    STAGES,
    Background,
    Item,
    Place,
    Ref,
    Relation,
    Scene,
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
_COMPANIONS = (
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
_WALKERS = {
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
for _kind, _verb in _WALKERS.items():
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
)
SPELLING = Wordings(
    train=(
        "write the word {word}, one letter at a time",
        "spell {word} letter by letter",
        "show me how to write {word}, letter by letter",
    ),
    heldout=("spell the word {word}, one letter at a time", "write {word} letter by letter"),
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


def _ref(subject: Subject) -> Ref:
    colour = subject.item.colour if subject.colour_said else None
    return Ref(subject.item.kind, colour)


def _request(
    text: str, plan: Planner, goal: Goal, *, asked: int | None, implicit: bool
) -> SketchRequest:
    return SketchRequest(text, (), Use.NARRATIVE, implicit, asked, plan.steps(), goal)


def _how_many(plan: Planner, asked: int | None) -> goals.Pictures:
    """Exactly the number asked for; without one, at least two pictures and any number more."""
    return goals.Pictures(asked) if asked else goals.Pictures(min(2, plan.count), exactly=False)


_MOVERS = frozenset((*_WALKERS, "balloon", "kite", "bee"))


def fill_up(plan: Planner, ref: Ref, extra: int) -> None:
    """Small events that make a story longer: a cloud and a bird come by, the subject moves on."""
    companions = iter(_COMPANIONS)
    for index in range(extra):
        place = ref.find(plan.scene or Scene(Background("paper")))[0]
        right_is_free = (
            place.column + 1 < GRID
            and plan.scene is not None
            and (plan.scene.at(place.moved(0, 1)) is None)
        )
        if index % 2 == 0 and right_is_free and ref.kind in _MOVERS:
            plan.shift(ref, Relation.RIGHT_OF)
        else:
            plan.add(next(companions))


def thinned(names: tuple[str, ...], count: int) -> tuple[str, ...]:
    """So many of the names, the first and the last always among them."""
    return names if count >= len(names) else (*names[: count - 1], names[-1])


def day_story(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """A subject from one time of day to a later one."""
    hide = rng.choice(("subject", "times", "place")) if implicit else ""
    subject = sample_subject(rng, split, STORY_KINDS, implicit=hide == "subject")
    kind = subject.item.kind
    setting, place_words, said = sample_location(rng, split, kind, implicit=hide == "place")
    first = rng.randrange(3) if rng.random() < 0.5 else 0
    last = rng.randrange(first + 1, 4) if first else rng.choice((2, 3, 3, 3))
    asked = sample_asked(rng, (2, 3, 4, 5, 6))
    template = DAY_STORY.pick(rng, split, f"{kind}{DAY[first]}")
    text = template.format(
        subject=subject.words,
        place=place_words,
        t1=time_words(DAY[first], rng, split, implicit=hide == "times"),
        t2=time_words(DAY[last], rng, split, implicit=hide == "times"),
    )
    times = DAY[first : last + 1]
    shown = thinned(times, asked or len(times))
    plan = Planner()
    blank = Scene(Background(setting, times[0]))
    plan.start(blank.with_item(standard_place(blank, kind), subject.item), times[0].capitalize())
    fill_up(plan, Ref(kind, subject.item.colour), (asked or len(times)) - len(shown))
    for time in shown[1:]:
        plan.at_time(time)
    checks = (
        _how_many(plan, asked),
        goals.Always(_ref(subject)),
        goals.Changing(),
        goals.BackgroundAt(0, setting if said else None, times[0]),
        goals.BackgroundAt(-1, None, times[-1]),
        goals.InOrder(times),
    )
    text = counted(polite(text, rng, split), asked, rng, split, wordings=IN_PICTURES)
    return _request(finished(text, rng), plan, Goal(checks), asked=asked, implicit=implicit)


def journey(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """A subject that goes from one setting to another."""
    hide = rng.choice(("subject", "places")) if implicit else ""
    kinds = ("boat", "car", "cat", "cow", "dog", "hen", "bird", "balloon", "kite", "bee", "fish")
    subject = sample_subject(rng, split, kinds, implicit=hide == "subject")
    names = rng.sample(tuple(SETTING_WORDS), 2)
    words = [
        KNOWN_SETTINGS[name].words(rng, split) if hide == "places" else SETTING_WORDS[name]
        for name in names
    ]
    asked = sample_asked(rng, (2, 3, 4, 5))
    template = JOURNEY.pick(rng, split, f"{subject.item.kind}{names[1]}")
    text = template.format(subject=subject.words, s1=words[0], s2=words[1])
    plan = Planner()
    blank = Scene(Background(names[0]))
    kind = subject.item.kind
    plan.start(blank.with_item(standard_place(blank, kind), subject.item), "The start")
    fill_up(plan, Ref(kind, subject.item.colour), (asked or 3) - 2)
    plan.at_setting(names[1], subject=f"the {name_of(subject.item)}")
    checks = (
        _how_many(plan, asked),
        goals.Always(_ref(subject)),
        goals.Changing(),
        goals.InOrder(tuple(names), of_setting=True, every_one=True),
    )
    text = counted(polite(text, rng, split), asked, rng, split, wordings=IN_PICTURES)
    return _request(finished(text, rng), plan, Goal(checks), asked=asked, implicit=implicit)


def motion(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """A subject that moves across the picture, one place a picture."""
    direction = rng.choice(tuple(Relation))
    options = MOTIONS[direction]
    subject = sample_subject(rng, split, tuple(options), implicit=implicit)
    kind = subject.item.kind
    setting, place_words, said = sample_location(rng, split, kind)
    asked = sample_asked(rng, (2, 3, 4))
    verb = options[kind].pick(rng, split, direction)
    template = MOTION.pick(rng, split, f"{kind}{direction}")
    text = template.format(subject=subject.words + place_words, motion=verb)
    plan = Planner()
    blank = Scene(Background(setting))
    standard = standard_place(blank, kind)
    start = {
        Relation.ABOVE: Place(3, 1),
        Relation.BELOW: Place(0, 1),
        Relation.RIGHT_OF: Place(standard.row, 0),
        Relation.LEFT_OF: Place(standard.row, 3),
    }[direction]
    plan.start(blank.with_item(start, subject.item), "The start")
    for _ in range((asked or 4) - 1):
        plan.shift(Ref(kind, subject.item.colour), direction)
    checks = (
        _how_many(plan, asked),
        goals.Always(_ref(subject)),
        goals.Travels(_ref(subject), direction),
        goals.BackgroundAt(0, setting if said else None),
    )
    text = counted(polite(text, rng, split), asked, rng, split, wordings=IN_PICTURES)
    return _request(finished(text, rng), plan, Goal(checks), asked=asked, implicit=implicit)


def start_growth(plan: Planner, item: Item, setting: str, *, lead: str = "Here is") -> None:
    """The first picture of something that grows; the moon is drawn at night."""
    blank = Scene(Background(setting, "night" if item.kind == "moon" else "day"))
    plan.start(blank.with_item(standard_place(blank, item.kind), item), "The start", lead=lead)


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
        _how_many(plan, asked),
        goals.Always(ref),
        goals.StagesRise(ref, 1, 3),
        goals.Changing(),
    )
    text = counted(polite(text, rng, split), asked, rng, split, wordings=IN_PICTURES)
    return _request(finished(text, rng), plan, Goal(checks), asked=asked, implicit=implicit)


def fill_up_around(plan: Planner, extra: int) -> None:
    """Companions that come by while the subject stays where it is."""
    for item in _COMPANIONS[:extra]:
        plan.add(item)


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
    ref = _ref(subject)
    checks = (
        goals.Pictures(number),
        goals.OneMoreEach(ref, 1),
        goals.EndsWith(((ref, number),), exactly=True),
        goals.BackgroundAt(0, setting if said else None),
    )
    return _request(finished(text, rng), plan, Goal(checks), asked=None, implicit=implicit)


def signs(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """A word or a row of numbers written one sign at a time (never implicit)."""
    if implicit:
        return day_story(rng, split, implicit=True)
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
    return _request(finished(text, rng), plan, Goal(checks), asked=None, implicit=False)


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


FORMS = (
    (day_story, 0.36),
    (journey, 0.14),
    (motion, 0.14),
    (growth_story, 0.12),
    (gathering, 0.12),
    (signs, 0.12),
)
