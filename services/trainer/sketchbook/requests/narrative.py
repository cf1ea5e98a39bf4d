"""Visual stories asked for in words alone: days, journeys, movements, and what grows."""

from __future__ import annotations

from random import Random

from services.trainer.sketchbook import goals
from services.trainer.sketchbook.goals import Goal
from services.trainer.sketchbook.knowledge import SETTINGS as KNOWN_SETTINGS
from services.trainer.sketchbook.requests.growing import gathering, growth_story, signs
from services.trainer.sketchbook.requests.model import SketchRequest
from services.trainer.sketchbook.requests.narrative_words import (
    DAY,
    DAY_STORY,
    JOURNEY,
    MOTION,
    MOTIONS,
    STORY_KINDS,
)
from services.trainer.sketchbook.requests.plans import Planner
from services.trainer.sketchbook.requests.telling import (
    fill_up,
    how_many,
    ref_of,
    story,
    thinned,
)
from services.trainer.sketchbook.requests.texts import (
    IN_PICTURES,
    SETTING_WORDS,
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
from services.trainer.sketchbook.wording import (
    Split,
)
from services.trainer.sketchbook.world import (
    Background,
    Place,
    Ref,
    Relation,
    Scene,
)


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
        how_many(plan, asked),
        goals.Always(ref_of(subject)),
        goals.Changing(),
        goals.BackgroundAt(0, setting if said else None, times[0]),
        goals.BackgroundAt(-1, None, times[-1]),
        goals.InOrder(times),
    )
    text = counted(polite(text, rng, split), asked, rng, split, wordings=IN_PICTURES)
    return story(finished(text, rng), plan, Goal(checks), asked=asked, implicit=implicit)


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
        how_many(plan, asked),
        goals.Always(ref_of(subject)),
        goals.Changing(),
        goals.InOrder(tuple(names), of_setting=True, every_one=True),
    )
    text = counted(polite(text, rng, split), asked, rng, split, wordings=IN_PICTURES)
    return story(finished(text, rng), plan, Goal(checks), asked=asked, implicit=implicit)


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
        how_many(plan, asked),
        goals.Always(ref_of(subject)),
        goals.Travels(ref_of(subject), direction),
        goals.BackgroundAt(0, setting if said else None),
    )
    text = counted(polite(text, rng, split), asked, rng, split, wordings=IN_PICTURES)
    return story(finished(text, rng), plan, Goal(checks), asked=asked, implicit=implicit)


FORMS = (
    (day_story, 0.36),
    (journey, 0.14),
    (motion, 0.14),
    (growth_story, 0.12),
    (gathering, 0.12),
    (signs, 0.12),
)
