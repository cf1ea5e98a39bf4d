"""How-to requests in words alone: compositions, things that are built up, lists of things."""

from __future__ import annotations

from random import Random

from services.trainer.sketchbook import goals
from services.trainer.sketchbook.goals import Goal
from services.trainer.sketchbook.knowledge import TIMES as KNOWN_TIMES
from services.trainer.sketchbook.phrasing import enumerate_words
from services.trainer.sketchbook.requests.compositions import COMPOSITIONS
from services.trainer.sketchbook.requests.model import SketchRequest, Use
from services.trainer.sketchbook.requests.plans import Planner
from services.trainer.sketchbook.requests.telling import (
    fill_up_around,
    start_growth,
)
from services.trainer.sketchbook.requests.texts import (
    HOMES,
    IN_STEPS,
    LOCATIONS,
    Wordings,
    counted,
    finished,
    sample_asked,
    sample_location,
    sample_subject,
)
from services.trainer.sketchbook.scenes import standard_place
from services.trainer.sketchbook.wording import (
    TIME_PHRASES,
    Split,
    article,
)
from services.trainer.sketchbook.world import (
    STAGES,
    Background,
    Item,
    Place,
    Ref,
    Scene,
)

HOW_TO = Wordings(
    train=(
        "how do I draw {thing}, step by step?",
        "how do I draw {thing} step by step?",
        "show me how to draw {thing} step by step",
        "teach me to draw {thing}",
        "explain how to draw {thing}",
        "how can I draw {thing}?",
        "I want to draw {thing}. What are the steps?",
    ),
    heldout=(
        "explain step by step how to draw {thing}",
        "teach me how I can draw {thing}",
        "what are the steps to draw {thing}?",
        "how do I draw {thing}?",
    ),
)

_WITHOUT_TIME = ("starry sky",)

_CORE = 3


def _request(
    text: str, plan: Planner, goal: Goal, *, asked: int | None, implicit: bool
) -> SketchRequest:
    return SketchRequest(text, (), Use.GUIDANCE, implicit, asked, plan.steps(), goal)


def _how_many(asked: int | None) -> goals.Pictures:
    return goals.Pictures(asked) if asked else goals.Pictures(2, exactly=False)


def _needed(items: tuple[Item, ...], *, coloured: bool) -> tuple[tuple[Ref, int], ...]:
    refs = [Ref(item.kind, item.colour if coloured else None) for item in items]
    return tuple((ref, refs.count(ref)) for ref in dict.fromkeys(refs))


def _draw_one_by_one(
    scene: Scene, items: tuple[tuple[Item, Place], ...], count: int, *, at_once: int = 1
) -> Planner:
    """The first items at once, then one a step; together at least three things are drawn."""
    total = max(count, at_once)
    first = total - count + 1
    for item, place in items[:first]:
        scene = scene.with_item(place, item)
    plan = Planner()
    plan.start(scene, "The beginning", lead="First draw")
    for item, place in items[first:total]:
        plan.add(item, place)
    return plan


def composition(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """A village, a farm, a harbour ..., perhaps at a certain time of day."""
    form = rng.choice(COMPOSITIONS)
    hide = rng.choice(("name", "time")) if implicit else ""
    timed = form.name not in _WITHOUT_TIME
    hide = hide if timed else hide and "name"
    time = (
        rng.choice(tuple(TIME_PHRASES)) if timed and (hide == "time" or rng.random() < 0.4) else ""
    )
    if hide == "time" and time == "rain":
        time = "night"
    words = article(form.name)
    if hide == "name":
        words = rng.choice(form.train if split is Split.TRAIN else form.heldout)
    if time:
        at_time = (
            f"at {KNOWN_TIMES[time].words(rng, split)}" if hide == "time" else TIME_PHRASES[time]
        )
        words = f"{words} {at_time}"
    asked = sample_asked(rng, (2, 3, 4, 5, 6))
    text = HOW_TO.pick(rng, split, f"{form.name}{time}").format(thing=words)
    background = Background(form.setting, time or ("day" if timed else "night"))
    plan = _draw_one_by_one(Scene(background), form.items, asked or 4, at_once=_CORE)
    core = tuple(item for item, _ in form.items[:_CORE])
    checks = (
        _how_many(asked),
        goals.EndsWith(_needed(core, coloured=False)),
        goals.NothingLost(),
        goals.Changing(),
        goals.BackgroundAt(-1, form.setting if form.name != "village" else None, time or None),
    )
    text = counted_how_to(text, asked, rng, split)
    text = finished(text, rng)
    return _request(text, plan, Goal(checks), asked=asked, implicit=implicit)


def counted_how_to(text: str, asked: int | None, rng: Random, split: Split) -> str:
    """Put the number of steps where "step by step" or "the steps" stood."""
    if asked is None:
        return text
    bare = text.replace(", step by step", "").replace(" step by step", "")
    if "the steps" in bare:
        numbered = counted("", asked, rng, Split.TRAIN, wordings=_JUST_STEPS).strip()
        return bare.replace("the steps", f"the {numbered}")
    return counted(bare, asked, rng, split, wordings=IN_STEPS)


_JUST_STEPS = Wordings(("{text}{n} steps",), ("{text}{n} steps",))


def built_up(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """A snowman, a tree, a flower or the moon through its stages."""
    kinds = ("snowman", "tree", "flower") if implicit else ("snowman", "tree", "flower", "moon")
    subject = sample_subject(rng, split, kinds, implicit=implicit, stage=1)
    kind = subject.item.kind
    words = "the moon" if kind == "moon" else subject.words
    asked = sample_asked(rng, (3, 4, 5))
    text = HOW_TO.pick(rng, split, kind).format(thing=words)
    plan = Planner()
    start_growth(plan, subject.item, HOMES.get(kind, "meadow"), lead="First draw")
    for _ in STAGES[1:]:
        plan.grow(Ref(kind))
    fill_up_around(plan, (asked or len(STAGES)) - len(STAGES))
    ref = Ref(kind, subject.item.colour if subject.colour_said else None)
    checks = (
        _how_many(asked),
        goals.StagesRise(ref, None, 3),
        goals.NothingLost(),
        goals.Changing(),
    )
    text = counted_how_to(text, asked, rng, split)
    text = finished(text, rng)
    return _request(text, plan, Goal(checks), asked=asked, implicit=implicit)


_LIST_KINDS = (
    "house",
    "car",
    "ball",
    "umbrella",
    "cat",
    "cow",
    "dog",
    "hen",
    "apple",
    "mushroom",
    "tree",
    "sun",
    "cloud",
    "bird",
    "kite",
    "balloon",
    "bee",
    "boat",
    "fish",
)


def listed(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
    """Things that the request names itself, drawn one after the other."""
    number = rng.randint(2, 4)
    kinds = rng.sample(_LIST_KINDS, number)
    hidden = rng.randrange(number) if implicit else -1
    subjects = [
        sample_subject(rng, split, (kind,), implicit=i == hidden) for i, kind in enumerate(kinds)
    ]
    setting, place_words, said = sample_location(rng, split, "meadow")
    if not said:
        setting, place_words = "meadow", f" {LOCATIONS['meadow']}"
    words = enumerate_words([subject.words for subject in subjects]) + place_words
    text = HOW_TO.pick(rng, split, kinds[0]).format(thing=words)
    scene = Scene(Background(setting))
    items: list[tuple[Item, Place]] = []
    for subject in subjects:
        place = standard_place(scene, subject.item.kind)
        scene = scene.with_item(place, subject.item)
        items.append((subject.item, place))
    asked = number if rng.random() < 0.4 else None
    plan = _draw_one_by_one(Scene(Background(setting)), tuple(items), number)
    wanted = tuple(
        (Ref(s.item.kind, s.item.colour if s.colour_said else None), 1) for s in subjects
    )
    checks = (
        _how_many(asked),
        goals.EndsWith(wanted),
        goals.NothingLost(),
        goals.Changing(),
        goals.BackgroundAt(-1, setting),
    )
    text = counted_how_to(text, asked, rng, split)
    text = finished(text, rng)
    return _request(text, plan, Goal(checks), asked=asked, implicit=implicit and hidden >= 0)


FORMS = ((composition, 0.5), (built_up, 0.2), (listed, 0.3))
