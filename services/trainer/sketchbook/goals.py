"""Goals of requests: exact predicates on the pictures and texts that came out.

A goal asks for what the request asked for, not for one particular plan. Not here: which goal
belongs to which request (``requests``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from services.trainer.sketchbook.captions import sentence_is_right
from services.trainer.sketchbook.world import GLYPH_KIND, Item, Place, Ref, Relation, Scene

Texts = Sequence[str | None]


class Check(Protocol):
    """One thing that must hold."""

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:
        """Whether it holds for the pictures made and the texts of the steps."""
        ...


@dataclass(frozen=True, slots=True)
class Goal:
    """Everything that must hold for a request to be fulfilled."""

    checks: tuple[Check, ...]

    def reached(self, scenes: Sequence[Scene], texts: Texts) -> bool:
        """Whether the pictures made (given ones left out) and the texts fulfil the request."""
        return all(check.holds(scenes, texts) for check in self.checks)

    def missed(self, scenes: Sequence[Scene], texts: Texts) -> tuple[Check, ...]:
        """The checks that do not hold."""
        return tuple(check for check in self.checks if not check.holds(scenes, texts))


@dataclass(frozen=True, slots=True)
class Pictures:
    """So many pictures, or at least so many."""

    count: int
    exactly: bool = True

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        return len(scenes) == self.count or (not self.exactly and len(scenes) > self.count)


@dataclass(frozen=True, slots=True)
class Always:
    """The subject is in every picture."""

    ref: Ref

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        return bool(scenes) and all(self.ref.find(scene) for scene in scenes)


@dataclass(frozen=True, slots=True)
class BackgroundAt:
    """The background of a picture (by index); None leaves that part open."""

    index: int
    setting: str | None = None
    time: str | None = None

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        if not scenes or self.index >= len(scenes):
            return False
        background = scenes[self.index].background
        return self.setting in (None, background.setting) and self.time in (None, background.time)


@dataclass(frozen=True, slots=True)
class InOrder:
    """The times (or settings) come in this order, none skipped back to."""

    names: tuple[str, ...]
    of_setting: bool = False
    every_one: bool = False

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        shown = [s.background.setting if self.of_setting else s.background.time for s in scenes]
        if any(name not in self.names for name in shown):
            return False
        ranks = [self.names.index(name) for name in shown]
        rising = all(first <= second for first, second in pairwise(ranks))
        return rising and (not self.every_one or set(shown) == set(self.names))


@dataclass(frozen=True, slots=True)
class StagesRise:
    """A growing thing never shrinks, and starts and ends as it should."""

    ref: Ref
    first: int | None
    last: int

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        stages: list[int] = []
        for scene in scenes:
            found = [dict(scene.items)[place].stage or 0 for place in self.ref.find(scene)]
            stages.append(max(found, default=0))
        rising = all(first <= second for first, second in pairwise(stages))
        right_start = bool(stages) and self.first in (None, stages[0])
        return right_start and rising and stages[-1] == self.last


@dataclass(frozen=True, slots=True)
class EndsWith:
    """The last picture holds at least so many of each."""

    wanted: tuple[tuple[Ref, int], ...]
    exactly: bool = False

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        if not scenes:
            return False
        counts = [(len(ref.find(scenes[-1])), count) for ref, count in self.wanted]
        return all(n == count or (n > count and not self.exactly) for n, count in counts)


@dataclass(frozen=True, slots=True)
class OneMoreEach:
    """Each picture holds one more of these than the one before."""

    ref: Ref
    first: int

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        counts = [len(self.ref.find(scene)) for scene in scenes]
        return counts == [self.first + i for i in range(len(scenes))]


@dataclass(frozen=True, slots=True)
class NothingLost:
    """What was in a picture is still in the next, wherever it stands."""

    start: Scene | None = None

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        counts = [
            Counter(item.kind for _, item in s.items) for s in _with_start(self.start, scenes)
        ]
        return all(first <= second for first, second in pairwise(counts))


@dataclass(frozen=True, slots=True)
class Changing:
    """Each picture differs from the one before."""

    start: Scene | None = None

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        return all(a != b for a, b in pairwise(_with_start(self.start, scenes)))


@dataclass(frozen=True, slots=True)
class OneThingEach:
    """From picture to picture a single item is moved, painted or taken away."""

    start: Scene | None = None
    same_items: bool = True

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        return all(self._single(a, b) for a, b in pairwise(_with_start(self.start, scenes)))

    def _single(self, before: Scene, after: Scene) -> bool:
        places = {place for place, _ in set(before.items) ^ set(after.items)}
        items = _items(before) == _items(after)
        moved = items and len(places) == 2  # noqa: PLR2004
        touched = not self.same_items and len(places) == 1
        return before.background == after.background and (moved or touched)


@dataclass(frozen=True, slots=True)
class NextTo:
    """In the last picture one item lies beside another in the given way."""

    ref: Ref
    relation: Relation
    anchor: Ref

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        if not scenes:
            return False
        rows, columns = _STEPS[self.relation]
        spots = self.ref.find(scenes[-1])
        anchors = self.anchor.find(scenes[-1])
        return any((a.row + rows, a.column + columns) == (p.row, p.column)
                   for a in anchors for p in spots)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Swapped:
    """In the last picture two things stand where the other one stood in the first."""

    first: Ref
    second: Ref

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        if not scenes:
            return False
        (a, b), (c, d) = (
            (self.first.find(s), self.second.find(s)) for s in (scenes[0], scenes[-1])
        )
        return len(a) == len(b) == 1 and (a, b) == (d, c)


@dataclass(frozen=True, slots=True)
class Travels:
    """The subject goes on in a direction from picture to picture."""

    ref: Ref
    direction: Relation
    start: Scene | None = None

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        rows, columns = _STEPS[self.direction]
        track: list[int] = []
        for scene in _with_start(self.start, scenes):
            found = self.ref.find(scene)
            if not found:
                return False
            track.append(max(place.row * rows + place.column * columns for place in found))
        return all(first < second for first, second in pairwise(track))


@dataclass(frozen=True, slots=True)
class Reads:
    """The signs of the last picture, read row by row, say this."""

    word: str

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        if not scenes:
            return False
        signs = [item.glyph or "" for _, item in scenes[-1].items if item.kind == GLYPH_KIND]
        return "".join(signs) == self.word


@dataclass(frozen=True, slots=True)
class EndsAs:
    """In the last picture these places hold these items (None: nothing)."""

    wanted: tuple[tuple[Place, Item | None], ...]

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:  # noqa: ARG002
        """See ``Check``."""
        return bool(scenes) and all(scenes[-1].at(place) == item for place, item in self.wanted)


@dataclass(frozen=True, slots=True)
class TextsDescribe:
    """No picture is made; each text says rightly what its given picture shows."""

    given: tuple[Scene, ...]

    def holds(self, scenes: Sequence[Scene], texts: Texts) -> bool:
        """See ``Check``."""
        right = len(texts) == len(self.given) and not scenes
        return right and all(map(sentence_is_right, self.given, texts))


_STEPS = {
    Relation.LEFT_OF: (0, -1),
    Relation.RIGHT_OF: (0, 1),
    Relation.ABOVE: (-1, 0),
    Relation.BELOW: (1, 0),
}


def _items(scene: Scene) -> Counter[Item]:
    return Counter(item for _, item in scene.items)


def _with_start(start: Scene | None, scenes: Sequence[Scene]) -> Iterator[Scene]:
    if start is not None:
        yield start
    yield from scenes
