"""One given picture after a change: said outright, or known to follow from what happened."""

from __future__ import annotations

from random import Random

from services.trainer.sketchbook import goals
from services.trainer.sketchbook.knowledge import CHANGES
from services.trainer.sketchbook.requests.beginnings import continued, opening
from services.trainer.sketchbook.requests.model import IMAGE_MARK, SketchRequest
from services.trainer.sketchbook.requests.narrative_words import (
    STORY_KINDS,
)
from services.trainer.sketchbook.requests.plans import Planner
from services.trainer.sketchbook.requests.texts import (
    LOCATIONS,
    Wordings,
    finished,
)
from services.trainer.sketchbook.scenes import standard_place
from services.trainer.sketchbook.wording import (
    TIME_PHRASES,
    Split,
)
from services.trainer.sketchbook.world import (
    STAGES,
    Background,
    Item,
    Ref,
    Scene,
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


def changed(rng: Random, split: Split) -> SketchRequest:
    """The given picture at another time or in another setting, said outright."""
    scene, item = opening(rng, split, STORY_KINDS)
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
    return continued(finished(text, rng), [scene], plan, checks, asked=None)


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
    return continued(finished(text, rng), [scene], plan, checks, asked=None, implicit=True)


Changed = tuple[Scene, Planner, tuple[goals.Check, ...]]


def _scene_change(name: str, rng: Random, split: Split) -> Changed:
    setting, time, new_setting, new_time = _SCENE_CHANGES[name]
    kinds = tuple(kind for kind in STORY_KINDS if kind != "snowman")
    scene, item = opening(rng, split, kinds)
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
    scene, item = opening(rng, split, (kind,))
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
    scene, item = opening(rng, split, kinds)
    other = rng.choice((Item("cow"), Item("dog"), Item("hen"), Item("tree", stage=3)))
    scene = scene.with_item(standard_place(scene, other.kind), other)
    plan = Planner(scene, given=1)
    plan.remove(Ref(item.kind, item.colour))
    after = tuple((place, None if what == item else what) for place, what in scene.items)
    return scene, plan, (goals.EndsAs(after),), item.kind
