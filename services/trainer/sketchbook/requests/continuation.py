"""Continuation: the first pictures of a sequence are given, the rest is wanted."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from services.trainer.sketchbook import goals
from services.trainer.sketchbook.requests.beginnings import ask_on, continued, opening, scene_at
from services.trainer.sketchbook.requests.changes import changed, implied
from services.trainer.sketchbook.requests.compositions import COMPOSITIONS
from services.trainer.sketchbook.requests.growing import sign_place
from services.trainer.sketchbook.requests.model import IMAGE_MARK, SketchRequest
from services.trainer.sketchbook.requests.narrative_words import (
    DAY,
    MOTIONS,
    STORY_KINDS,
)
from services.trainer.sketchbook.requests.plans import Planner
from services.trainer.sketchbook.requests.telling import (
    fill_up,
    thinned,
)
from services.trainer.sketchbook.requests.texts import (
    HOMES,
    IN_PICTURES,
    LOCATIONS,
    Wordings,
    counted,
    finished,
    polite,
    sample_asked,
    sample_subject,
)
from services.trainer.sketchbook.scenes import standard_place
from services.trainer.sketchbook.wording import (
    STAGE_NAMES,
    Split,
)
from services.trainer.sketchbook.world import (
    GLYPH_KIND,
    GRID,
    STAGES,
    Background,
    Item,
    Place,
    Ref,
    Relation,
    Scene,
)

THIS_STORY = Wordings(
    train=(
        "tell the story of this {kind}{end}",
        "show the story of this {kind}{end}",
        "draw a picture story of this {kind}{end}",
    ),
    heldout=("tell a story about this {kind}{end}", "draw the story of this {kind}{end}"),
)

Form = Callable[..., SketchRequest]


def day(rng: Random, split: Split) -> SketchRequest:
    """Pictures of a morning and a day are given; evening and night follow."""
    scene, item = opening(rng, split, STORY_KINDS)
    number = rng.randint(1, 3)
    given = [scene_at(scene, time) for time in DAY[:number]]
    rest = DAY[number:]
    asked = rng.randint(1, len(rest)) if rng.random() < 0.5 else None
    words = "of the day" if asked else "until night"
    hint = words if number == 1 else rng.choice(("", words))
    plan = Planner(given[-1], given=number)
    for time in rest[: asked or len(rest)]:
        plan.at_time(time)
    last = rest[(asked or len(rest)) - 1]
    checks = (
        goals.Always(Ref(item.kind, item.colour)),
        goals.InOrder(rest),
        goals.BackgroundAt(-1, given[-1].background.setting, last),
    )
    text = ask_on(given, asked, hint, rng, split, about=item.kind)
    return continued(text, given, plan, checks, asked=asked)


def growth(rng: Random, split: Split) -> SketchRequest:
    """The first stages are given; the thing grows on."""
    kind = rng.choice(tuple(STAGE_NAMES))
    item = sample_subject(rng, split, (kind,), stage=1).item
    home = HOMES.get(kind, "meadow")
    setting = home if rng.random() < 0.6 else rng.choice(tuple(LOCATIONS))
    blank = Scene(Background(setting, "night" if kind == "moon" else "day"))
    place = standard_place(blank, kind)
    number = rng.randint(1, 2)
    given = [blank.with_item(place, Item(kind, item.colour, stage)) for stage in STAGES[:number]]
    steps = len(STAGES) - number
    asked = rng.randint(1, steps) if rng.random() < 0.5 else None
    plan = Planner(given[-1], given=number)
    for _ in range(asked or steps):
        plan.grow(Ref(kind))
    ref = Ref(kind, item.colour)
    checks = (
        goals.Always(ref),
        goals.StagesRise(ref, None, number + (asked or steps)),
        goals.NothingLost(given[-1]),
    )
    hint = f"as the {kind} grows" if number == 1 else rng.choice(("", f"as the {kind} grows"))
    text = ask_on(given, asked, hint, rng, split, about=kind)
    return continued(text, given, plan, checks, asked=asked)


def motion(rng: Random, split: Split) -> SketchRequest:
    """Something has begun to move and goes on moving."""
    direction = rng.choice(tuple(Relation))
    kinds = tuple(MOTIONS[direction])
    scene, item = opening(rng, split, kinds)
    ref = Ref(item.kind, item.colour)
    standard = scene.items[0][0]
    track = {
        Relation.ABOVE: [Place(row, 1) for row in (3, 2, 1, 0)],
        Relation.BELOW: [Place(row, 1) for row in (0, 1, 2, 3)],
        Relation.RIGHT_OF: [Place(standard.row, column) for column in range(GRID)],
        Relation.LEFT_OF: [Place(standard.row, column) for column in reversed(range(GRID))],
    }[direction]
    number = rng.randint(2, 3)
    blank = Scene(scene.background)
    given = [blank.with_item(place, item) for place in track[:number]]
    steps = GRID - number
    asked = rng.randint(1, steps) if rng.random() < 0.5 else None
    plan = Planner(given[-1], given=number)
    for _ in range(asked or steps):
        plan.shift(ref, direction)
    checks = (goals.Always(ref), goals.Travels(ref, direction, given[-1]))
    text = ask_on(given, asked, "", rng, split, about=f"{item.kind}{direction}")
    return continued(text, given, plan, checks, asked=asked)


def counting(rng: Random, split: Split) -> SketchRequest:
    """Numbers in a row go on."""
    number = rng.randint(2, 3)
    asked = rng.randint(1, 3)
    first = rng.randint(0, 10 - number - asked)
    digits = [str(first + i) for i in range(number + asked)]
    scene = Scene(Background("paper"))
    given: list[Scene] = []
    for index, digit in enumerate(digits[:number]):
        scene = scene.with_item(sign_place(index), Item(GLYPH_KIND, glyph=digit))
        given.append(scene)
    plan = Planner(given[-1], given=number)
    for index, digit in enumerate(digits[number:], start=number):
        plan.add(Item(GLYPH_KIND, glyph=digit), sign_place(index))
    checks = (goals.Reads("".join(digits)), goals.OneMoreEach(Ref(GLYPH_KIND), number + 1))
    text = ask_on(given, asked, "", rng, split, about=digits[0])
    return continued(text, given, plan, checks, asked=asked)


def gathering(rng: Random, split: Split) -> SketchRequest:
    """More and more equal things come together."""
    kinds = (
        "boat",
        "fish",
        "bird",
        "balloon",
        "star",
        "cow",
        "hen",
        "bee",
        "apple",
        "house",
        "car",
    )
    scene, item = opening(rng, split, kinds)
    number = rng.randint(2, 3)
    given = [scene]
    for _ in range(number - 1):
        scene = scene.with_item(standard_place(scene, item.kind), item)
        given.append(scene)
    asked = rng.randint(1, 3)
    plan = Planner(given[-1], given=number)
    for _ in range(asked):
        plan.add(item)
    ref = Ref(item.kind, item.colour)
    checks = (goals.OneMoreEach(ref, number + 1), goals.NothingLost(given[-1]))
    text = ask_on(given, asked, "", rng, split, about=item.kind)
    return continued(text, given, plan, checks, asked=asked)


def composition(rng: Random, split: Split) -> SketchRequest:
    """A named picture is half drawn and wants finishing."""
    form = rng.choice(COMPOSITIONS)
    number = rng.randint(1, 2)
    steps = rng.randint(2, 3)
    time = "night" if form.name == "starry sky" else "day"
    scene = Scene(Background(form.setting, time))
    given: list[Scene] = []
    for place_item in form.items[:number]:
        scene = scene.with_item(place_item[1], place_item[0])
        given.append(scene)
    plan = Planner(given[-1], given=number)
    for item, place in form.items[number : number + steps]:
        plan.add(item, place)
    core = [Ref(item.kind) for item, _ in form.items[: min(3, number + steps)]]
    wanted = tuple((ref, core.count(ref)) for ref in dict.fromkeys(core))
    checks = (goals.EndsWith(wanted), goals.NothingLost(given[-1]))
    text = ask_on(given, steps, f"to draw a {form.name}", rng, split, about=form.name)
    return continued(text, given, plan, checks, asked=steps)


def this_story(rng: Random, split: Split) -> SketchRequest:
    """One picture is given and a whole story about what is in it is wanted."""
    scene, item = opening(rng, split, STORY_KINDS)
    begin = rng.randrange(3)
    scene = scene_at(scene, DAY[begin])
    rest = DAY[begin + 1 :]
    asked = sample_asked(rng, (2, 3, 4, 5, 6))
    to_night = rng.random() < 0.5
    end = " until night" if to_night else ""
    text = THIS_STORY.pick(rng, split, item.kind).format(kind=item.kind, end=end)
    shown = thinned(rest, asked or len(rest))
    ref = Ref(item.kind, item.colour)
    plan = Planner(scene, given=1)
    fill_up(plan, ref, (asked or len(rest)) - len(shown))
    for time in shown:
        plan.at_time(time)
    checks = (goals.Always(ref), goals.BackgroundAt(-1, None, "night" if to_night else None))
    text = counted(polite(text, rng, split), asked, rng, split, wordings=IN_PICTURES)
    text = finished(text, rng)
    text = f"{text} {IMAGE_MARK}" if rng.random() < 0.5 else f"{IMAGE_MARK} {text}"
    return continued(text, [scene], plan, checks, asked=asked)


def _explicit(form: Callable[[Random, Split], SketchRequest]) -> Form:
    def either(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:
        return implied(rng, split) if implicit else form(rng, split)

    return either


FORMS = tuple(
    (_explicit(form), share)
    for form, share in (
        (day, 0.2),
        (growth, 0.16),
        (motion, 0.14),
        (counting, 0.1),
        (gathering, 0.1),
        (composition, 0.08),
        (this_story, 0.14),
        (changed, 0.08),
    )
)
