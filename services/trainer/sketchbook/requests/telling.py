"""What visual stories have in common: their openings, small events, how many pictures.

Not here: the stories themselves (``narrative``, ``growing``).
"""

from __future__ import annotations

from services.trainer.sketchbook import goals
from services.trainer.sketchbook.goals import Goal
from services.trainer.sketchbook.requests.model import SketchRequest, Use
from services.trainer.sketchbook.requests.narrative_words import (
    COMPANIONS,
    MOVERS,
)
from services.trainer.sketchbook.requests.plans import Planner
from services.trainer.sketchbook.requests.texts import (
    Subject,
)
from services.trainer.sketchbook.scenes import standard_place
from services.trainer.sketchbook.world import (
    GRID,
    Background,
    Item,
    Ref,
    Relation,
    Scene,
)


def ref_of(subject: Subject) -> Ref:
    """What the goal demands: the kind, and the colour only if it was asked for."""
    colour = subject.item.colour if subject.colour_said else None
    return Ref(subject.item.kind, colour)


def story(
    text: str, plan: Planner, goal: Goal, *, asked: int | None, implicit: bool
) -> SketchRequest:
    """A request of the narrative use."""
    return SketchRequest(text, (), Use.NARRATIVE, implicit, asked, plan.steps(), goal)


def how_many(plan: Planner, asked: int | None) -> goals.Pictures:
    """Exactly the number asked for; without one, at least two pictures and any number more."""
    return goals.Pictures(asked) if asked else goals.Pictures(min(2, plan.count), exactly=False)


def fill_up(plan: Planner, ref: Ref, extra: int) -> None:
    """Small events that make a story longer: a cloud and a bird come by, the subject moves on."""
    companions = iter(COMPANIONS)
    for index in range(extra):
        place = ref.find(plan.scene or Scene(Background("paper")))[0]
        right_is_free = (
            place.column + 1 < GRID
            and plan.scene is not None
            and (plan.scene.at(place.moved(0, 1)) is None)
        )
        if index % 2 == 0 and right_is_free and ref.kind in MOVERS:
            plan.shift(ref, Relation.RIGHT_OF)
        else:
            plan.add(next(companions))


def fill_up_around(plan: Planner, extra: int) -> None:
    """Companions that come by while the subject stays where it is."""
    for item in COMPANIONS[:extra]:
        plan.add(item)


def thinned(names: tuple[str, ...], count: int) -> tuple[str, ...]:
    """So many of the names, the first and the last always among them."""
    return names if count >= len(names) else (*names[: count - 1], names[-1])


def start_growth(plan: Planner, item: Item, setting: str, *, lead: str = "Here is") -> None:
    """The first picture of something that grows; the moon is drawn at night."""
    blank = Scene(Background(setting, "night" if item.kind == "moon" else "day"))
    plan.start(blank.with_item(standard_place(blank, item.kind), item), "The start", lead=lead)
