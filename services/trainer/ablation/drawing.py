"""Pictures of one generator, many at a time, each drawn once for all rows of a table.

Not here: what is drawn (``trajectories``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.trainer.grpo.local import BATCH, Artist
from services.trainer.sketchbook.reading import Picture


@dataclass(frozen=True, slots=True)
class Order:
    """A picture to draw: an edit of ``source``, or from the prompt alone."""

    prompt: str
    source: Picture | None
    seed: int

    @property
    def key(self) -> str:
        """The same for the same order."""
        found = hashlib.sha256(f"{self.seed} {self.prompt}\n".encode())
        found.update(b"" if self.source is None else self.source.tobytes())
        return found.hexdigest()


@dataclass(slots=True)
class Studio:
    """Draws what was not drawn before."""

    load: Callable[[], Artist]
    drawn: int = 0
    """Pictures really drawn."""
    _artist: Artist | None = field(default=None, init=False)
    _known: dict[str, Picture] = field(default_factory=dict[str, Picture], init=False)

    def pictures(self, orders: Sequence[Order]) -> list[Picture]:
        """A picture for each order."""
        unknown = {order.key: order for order in orders if order.key not in self._known}
        for edits in (True, False):
            some = [each for each in unknown.items() if (each[1].source is not None) is edits]
            for at in range(0, len(some), BATCH):
                self._draw(some[at : at + BATCH])
        return [self._known[order.key] for order in orders]

    def _draw(self, some: Sequence[tuple[str, Order]]) -> None:
        if self._artist is None:
            self._artist = self.load()
        orders = [order for _, order in some]
        sources = [order.source for order in orders if order.source is not None]
        pictures = self._artist.draw(
            [order.prompt for order in orders], sources, [order.seed for order in orders]
        )
        self.drawn += len(orders)
        self._known |= {key: picture for (key, _), picture in zip(some, pictures, strict=True)}
