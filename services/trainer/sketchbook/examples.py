"""The pictures that the demo's annotation and continuation requests are given.

``python -m services.trainer.sketchbook.examples [FOLDER]`` draws them again; they are committed
in the launcher's ``examples`` folder, so that nobody needs to.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.world import Background, Item, Place, Scene

FOLDER = Path(__file__).parents[2] / "launcher" / "examples"

_BEACH = Scene.of(
    Background("beach", "day"),
    {Place(3, 0): Item("umbrella", colour="yellow"), Place(3, 2): Item("ball", colour="red")},
)
_SNOW = Scene.of(
    Background("snow", "evening"),
    {Place(3, 1): Item("snowman", stage=3), Place(0, 2): Item("bird", colour="blue")},
)
_TOWN = Scene.of(
    Background("town", "night"),
    {Place(0, 3): Item("moon", stage=3), Place(3, 1): Item("cat", colour="orange")},
)
_SPROUT = Scene.of(
    Background("meadow", "day"), {Place(3, 1): Item("flower", colour="pink", stage=1)}
)

EXAMPLES = {
    "annotation-1": _BEACH,
    "annotation-2": _SNOW,
    "annotation-3": _TOWN,
    "continuation-1": _SPROUT,
}


def main() -> None:
    """Draw every example into the folder given on the command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, scene in EXAMPLES.items():
        Image.fromarray(render(scene)).save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
