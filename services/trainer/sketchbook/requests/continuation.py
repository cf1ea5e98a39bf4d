"""Continuation: the first pictures of a sequence are given, the rest is wanted."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from services.trainer.sketchbook import goals
from services.trainer.sketchbook.goals import Goal
from services.trainer.sketchbook.knowledge import CHANGES
from services.trainer.sketchbook.requests.guidance import COMPOSITIONS
from services.trainer.sketchbook.requests.model import IMAGE_MARK, SketchRequest, Use
from services.trainer.sketchbook.requests.narrative import (
    DAY,
    MOTIONS,
    STORY_KINDS,
    fill_up,
    sign_place,
    thinned,
)
from services.trainer.sketchbook.requests.plans import Planner
from services.trainer.sketchbook.requests.texts import (
    HOMES,
    IN_PICTURES,
    LOCATIONS,
    Wordings,
    counted,
    finished,
    polite,
    sample_asked,
    sample_location,
    sample_subject,
)
from services.trainer.sketchbook.scenes import standard_place
from services.trainer.sketchbook.wording import NUMBER_WORDS, STAGE_NAMES, TIME_PHRASES, Split
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

REST = Wordings(
    train=(
        "{marks} show the rest{hint}",
        "this is how it begins: {marks} Show the rest{hint}.",
        "{marks} continue{hint}",
        "finish the story{hint}: {marks}",
        "here are the first pictures: {marks} Draw the rest{hint}.",
    ),
    heldout=(
        "here are the first pictures: {marks} Show the rest{hint}.",
        "{marks} finish the story{hint}",
        "this is how it begins: {marks} Continue{hint}.",
    ),
)
NEXT = Wordings(
    train=(
        "{marks} show the next {n}{hint}",
        "{marks} draw the next {n}{hint}",
        "this is how it begins: {marks} Show the next {n}{hint}.",
        "continue with {n}{hint}: {marks}",
    ),
    heldout=(
        "this is how it begins: {marks} Draw the next {n}{hint}.",
        "{marks} continue with the next {n}{hint}",
    ),
)
THIS_STORY = Wordings(
    train=(
        "tell the story of this {kind}{end}",
        "show the story of this {kind}{end}",
        "draw a picture story of this {kind}{end}",
    ),
    heldout=("tell a story about this {kind}{end}", "draw the story of this {kind}{end}"),
)
LOOKS = Wordings(
    train=(
        "{marks} what does this look like {change}?",
        "show this picture {change} {marks}",
        "{marks} draw the same picture {change}",
        "{marks} show what happens {change}",
    ),
    heldout=(
        "{marks} draw what happens {change}",
        "{marks} show the same picture {change}",
        "what happens {change}? {marks}",
    ),
)
NUMBER = Wordings(("{n} pictures", "{n} steps", "{n} images"), ("{n} images", "{n} pictures"))
Form = Callable[..., SketchRequest]


def _marks(number: int) -> str:
    return " ".join([IMAGE_MARK] * number)


def _ask_on(
    given: list[Scene], asked: int | None, hint: str, rng: Random, split: Split, *, about: str
) -> str:
    """The text that asks for the rest, or for the next few."""
    hint = f" {hint}" if hint else ""
    marks = _marks(len(given))
    if asked is None:
        text = REST.pick(rng, split, about).format(marks=marks, hint=hint)
    else:
        number = NUMBER_WORDS[asked] if rng.random() < 0.6 else str(asked)
        words = NUMBER.pick(rng, split, about).format(n=number)
        words = words.replace(f"{number} ", "").removesuffix("s") if asked == 1 else words
        text = NEXT.pick(rng, split, about).format(marks=marks, n=words, hint=hint)
        text = text.replace("continue with picture", "continue with one picture")
    return finished(text, rng)


def _request(
    text: str,
    given: list[Scene],
    plan: Planner,
    checks: tuple[goals.Check, ...],
    *,
    asked: int | None,
    implicit: bool = False,
) -> SketchRequest:
    how_many = goals.Pictures(asked) if asked else goals.Pictures(1, exactly=False)
    return SketchRequest(
        text,
        tuple(given),
        Use.CONTINUATION,
        implicit,
        asked,
        plan.steps(),
        Goal((how_many, goals.Changing(given[-1]), *checks)),
    )


def _opening(rng: Random, split: Split, kinds: tuple[str, ...]) -> tuple[Scene, Item]:
    subject = sample_subject(rng, split, kinds)
    setting, _, _ = sample_location(rng, split, subject.item.kind)
    blank = Scene(Background(setting))
    kind = subject.item.kind
    return blank.with_item(standard_place(blank, kind), subject.item), subject.item


def _at_time(scene: Scene, time: str) -> Scene:
    return Scene(Background(scene.background.setting, time), scene.items)


def day(rng: Random, split: Split) -> SketchRequest:
    """Pictures of a morning and a day are given; evening and night follow."""
    scene, item = _opening(rng, split, STORY_KINDS)
    number = rng.randint(1, 3)
    given = [_at_time(scene, time) for time in DAY[:number]]
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
    text = _ask_on(given, asked, hint, rng, split, about=item.kind)
    return _request(text, given, plan, checks, asked=asked)


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
    text = _ask_on(given, asked, hint, rng, split, about=kind)
    return _request(text, given, plan, checks, asked=asked)


def motion(rng: Random, split: Split) -> SketchRequest:
    """Something has begun to move and goes on moving."""
    direction = rng.choice(tuple(Relation))
    kinds = tuple(MOTIONS[direction])
    scene, item = _opening(rng, split, kinds)
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
    text = _ask_on(given, asked, "", rng, split, about=f"{item.kind}{direction}")
    return _request(text, given, plan, checks, asked=asked)


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
    text = _ask_on(given, asked, "", rng, split, about=digits[0])
    return _request(text, given, plan, checks, asked=asked)


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
    scene, item = _opening(rng, split, kinds)
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
    text = _ask_on(given, asked, "", rng, split, about=item.kind)
    return _request(text, given, plan, checks, asked=asked)


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
    text = _ask_on(given, steps, f"to draw a {form.name}", rng, split, about=form.name)
    return _request(text, given, plan, checks, asked=steps)


def this_story(rng: Random, split: Split) -> SketchRequest:
    """One picture is given and a whole story about what is in it is wanted."""
    scene, item = _opening(rng, split, STORY_KINDS)
    begin = rng.randrange(3)
    scene = _at_time(scene, DAY[begin])
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
    return _request(text, [scene], plan, checks, asked=asked)


def changed(rng: Random, split: Split) -> SketchRequest:
    """The given picture at another time or in another setting, said outright."""
    scene, item = _opening(rng, split, STORY_KINDS)
    plan = Planner(scene, given=1)
    now = scene.background
    if rng.random() < 0.6:
        time = rng.choice([name for name in TIME_PHRASES if name != now.time])
        words = TIME_PHRASES[time]
        plan.at_time(time)
        check = goals.BackgroundAt(-1, now.setting, time)
    else:
        setting = rng.choice([name for name in LOCATIONS if name != now.setting])
        words = LOCATIONS[setting]
        plan.at_setting(setting, subject=f"the {item.kind}")
        check = goals.BackgroundAt(-1, setting, now.time)
    checks = (goals.Always(Ref(item.kind, item.colour)), check)
    text = LOOKS.pick(rng, split, words).format(marks=IMAGE_MARK, change=words)
    return _request(finished(text, rng), [scene], plan, checks, asked=None)


_SCENE_CHANGES = {
    "snow melts": ("snow", "day", "meadow", None),
    "winter": (None, "day", "snow", None),
    "rain starts": (None, "day", None, "rain"),
    "rain stops": (None, "rain", None, "day"),
    "dark": (None, "day", None, "night"),
    "sunrise": (None, "night", None, "morning"),
}
"""For each change: the setting and time before, the setting and time after."""


def implied(rng: Random, split: Split) -> SketchRequest:
    """The given picture after something that everybody knows the effect of."""
    name = rng.choice(tuple(CHANGES))
    words = CHANGES[name].words(rng, split)
    if name in _SCENE_CHANGES:
        scene, plan, checks = _scene_change(name, rng, split)
    elif name == "grown":
        scene, plan, checks = _grown(rng, split)
    else:
        scene, plan, checks, kind = _gone(name, rng, split)
        words = words.format(thing=kind)
    text = LOOKS.pick(rng, split, words).format(marks=IMAGE_MARK, change=words)
    return _request(finished(text, rng), [scene], plan, checks, asked=None, implicit=True)


Changed = tuple[Scene, Planner, tuple[goals.Check, ...]]


def _scene_change(name: str, rng: Random, split: Split) -> Changed:
    setting, time, new_setting, new_time = _SCENE_CHANGES[name]
    kinds = tuple(kind for kind in STORY_KINDS if kind != "snowman")
    scene, item = _opening(rng, split, kinds)
    old_setting = setting or scene.background.setting
    if old_setting == new_setting:
        old_setting = "meadow"
    scene = Scene(Background(old_setting, time), scene.items)
    plan = Planner(scene, given=1)
    if new_setting:
        plan.at_setting(new_setting, subject=f"the {item.kind}")
    else:
        plan.at_time(new_time or "day")
    check = goals.BackgroundAt(-1, new_setting or old_setting, new_time)
    return scene, plan, (goals.Always(Ref(item.kind, item.colour)), check)


def _grown(rng: Random, split: Split) -> Changed:
    kind = rng.choice(("tree", "flower"))
    scene, item = _opening(rng, split, (kind,))
    stage = rng.choice(STAGES[:-1])
    place = scene.items[0][0]
    scene = scene.with_item(place, Item(kind, item.colour, stage))
    plan = Planner(scene, given=1)
    for _ in range(STAGES[-1] - stage):
        plan.grow(Ref(kind))
    return scene, plan, (goals.StagesRise(Ref(kind, item.colour), None, 3),)


def _gone(
    name: str, rng: Random, split: Split
) -> tuple[Scene, Planner, tuple[goals.Check, ...], str]:
    kinds = ("apple", "mushroom") if name == "eaten" else ("kite", "balloon", "umbrella", "ball")
    scene, item = _opening(rng, split, kinds)
    other = rng.choice((Item("cow"), Item("dog"), Item("hen"), Item("tree", stage=3)))
    scene = scene.with_item(standard_place(scene, other.kind), other)
    plan = Planner(scene, given=1)
    plan.remove(Ref(item.kind, item.colour))
    after = tuple((place, None if what == item else what) for place, what in scene.items)
    return scene, plan, (goals.EndsAs(after),), item.kind


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
