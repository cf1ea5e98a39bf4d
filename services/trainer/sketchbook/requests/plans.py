"""Builds the plan of a request: scenes, edits and sentences in, planned steps out.

Plans are worded by fixed rules, so that a small planner can learn them: an edit at every third
step refers to its neighbours or names its thing loosely, a closing addition leaves the place
open, everything else is precise. Not here: which steps a request needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from services.trainer.sketchbook.captions import sentence
from services.trainer.sketchbook.phrasing import describe, exact_ref, phrase
from services.trainer.sketchbook.requests.model import PlannedStep
from services.trainer.sketchbook.scenes import standard_place
from services.trainer.sketchbook.wording import (
    DIRECTION_PHRASES,
    SETTING_NAMES,
    Split,
    Style,
    item_phrase,
    thing_name,
)
from services.trainer.sketchbook.world import (
    Add,
    Edit,
    Grow,
    Item,
    Move,
    Place,
    Recolour,
    Ref,
    Relation,
    Remove,
    Scene,
    SetBackground,
    outcomes,
)

_LOOSE_EVERY = 3
_TIME_SENTENCES = {
    "morning": "A new morning begins.",
    "day": "The sun climbs, and it is day.",
    "evening": "Evening comes, and the light turns soft.",
    "night": "Night falls.",
    "rain": "It begins to rain.",
}
_STEPS = {
    Relation.LEFT_OF: (0, -1),
    Relation.RIGHT_OF: (0, 1),
    Relation.ABOVE: (-1, 0),
    Relation.BELOW: (1, 0),
}


class FirstChoice(Random):
    """A random source that always takes the first: for wording that never varies.

    ``choice`` is made of ``random`` in a class that overrides only that.
    """

    def random(self) -> float:
        """The smallest number."""
        return 0.0


FIRST_CHOICE = FirstChoice()


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    instruction: str
    what: Scene | Edit
    before: Scene | None
    prompt: str | None


@dataclass(slots=True)
class Planner:
    """Collects the steps of one plan; ``scene`` is the picture after the last of them."""

    scene: Scene | None = None
    given: int = 0
    _steps: list[_Step] = field(default_factory=list["_Step"])

    def start(self, scene: Scene, name: str, *, lead: str = "Here is") -> None:
        """The first picture of a text-only request."""
        self._take(name, f"{lead} {_lower(sentence(scene))}", scene, scene)

    def change(self, edit: Edit, name: str, instruction: str, *, prompt: str | None = None) -> None:
        """Make the next picture by a definite edit of the one before."""
        after = outcomes(self._now, edit)[0]
        self._take(name, instruction, edit, after, prompt=prompt)

    def at_time(self, time: str) -> None:
        """Change the time."""
        self.change(SetBackground(time=time), time.capitalize(), _TIME_SENTENCES[time])

    def at_setting(self, setting: str, *, subject: str) -> None:
        """Go to another setting."""
        place = SETTING_NAMES[setting].replace("a ", "the ", 1)
        edit = SetBackground(setting, self._now.background.time)
        self.change(edit, _capital(place), f"{_capital(subject)} comes to {place}.")

    def add(self, item: Item, place: Place | None = None) -> None:
        """Draw one more item, where it usually goes unless a place is given."""
        place = place or standard_place(self._now, item.kind)
        verb = "write" if item.glyph else "draw"
        named = f"the {thing_name(item)}" if item.glyph else item_phrase(item)
        self.change(Add(item, place), _capital(named), f"Now {verb} {named}.")

    def shift(self, ref: Ref, direction: Relation) -> None:
        """Move an item by one place."""
        rows, columns = _STEPS[direction]
        place, item = self._find(ref)
        words = DIRECTION_PHRASES[direction]
        name = thing_name(item)
        edit = Move(exact_ref(place, item), place.moved(rows, columns))
        self.change(edit, _capital(words), f"The {name} moves {words}.")

    def move(self, ref: Ref, target: Place, *, instruction: str) -> None:
        """Bring an item to a place."""
        place, item = self._find(ref)
        self.change(Move(exact_ref(place, item), target), f"The {thing_name(item)}", instruction)

    def stack(self, ref: Ref, anchor: Ref) -> None:
        """Put an item on another; always worded by what it goes on, never by place."""
        place, item = self._find(ref)
        below, support = self._find(anchor)
        prompt = f"move {_the(self._now, ref)} on top of {_the(self._now, anchor)}"
        text = f"Put the {thing_name(item)} on top of the {thing_name(support)}."
        edit = Move(exact_ref(place, item), below.moved(-1, 0))
        self.change(edit, f"The {thing_name(item)}", text, prompt=prompt)

    def grow(self, ref: Ref) -> None:
        """Let an item grow by one stage."""
        place, item = self._find(ref)
        edit = Grow(exact_ref(place, item))
        grown = dict(outcomes(self._now, edit)[0].items)[place]
        text = f"The {thing_name(item)} grows into {item_phrase(grown)}."
        self.change(edit, _capital(thing_name(grown)), text)

    def remove(self, ref: Ref) -> None:
        """Take an item away."""
        place, item = self._find(ref)
        name = f"the {thing_name(item)}"
        self.change(Remove(exact_ref(place, item)), _capital(name), f"Take away {name}.")

    def paint(self, ref: Ref, colour: str) -> None:
        """Give an item another colour."""
        place, item = self._find(ref)
        name = f"the {thing_name(item)}"
        edit = Recolour(exact_ref(place, item), colour)
        self.change(edit, _capital(name), f"Paint {name} {colour}.")

    def steps(self) -> tuple[PlannedStep, ...]:
        """The plan, worded."""
        planned: list[PlannedStep] = []
        for index, step in enumerate(self._steps):
            number = self.given + index + 1
            last = index == len(self._steps) - 1 and number > 2
            prompt = step.prompt or _prompt(step.before, step.what, number=number, last=last)
            planned.append(PlannedStep(number, step.name, step.instruction, prompt))
        return tuple(planned)

    @property
    def count(self) -> int:
        """The number of steps so far."""
        return len(self._steps)

    @property
    def _now(self) -> Scene:
        if self.scene is None:
            raise ValueError("there is no picture yet")
        return self.scene

    def _find(self, ref: Ref) -> tuple[Place, Item]:
        place = ref.find(self._now)[0]
        return place, dict(self._now.items)[place]

    def _take(
        self,
        name: str,
        instruction: str,
        what: Scene | Edit,
        after: Scene,
        *,
        prompt: str | None = None,
    ) -> None:
        self._steps.append(_Step(name, instruction, what, self.scene, prompt))
        self.scene = after


def _the(scene: Scene, ref: Ref) -> str:
    """The thing by its kind alone, or with its colour where another such thing is about."""
    short = Ref(ref.kind)
    return f"the {thing_name(short if len(short.find(scene)) == 1 else ref)}"


def _prompt(before: Scene | None, what: Scene | Edit, *, number: int, last: bool) -> str:
    if isinstance(what, Scene) or before is None:
        if not isinstance(what, Scene):
            raise ValueError("the first picture must be described")
        return describe(what, FIRST_CHOICE, Split.TRAIN)
    style = Style.RELATIVE if number % _LOOSE_EVERY == 0 else Style.PRECISE
    if last and isinstance(what, Add) and what.item.glyph is None:
        style = Style.VAGUE
    return phrase(before, what, FIRST_CHOICE, style, Split.TRAIN)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]
