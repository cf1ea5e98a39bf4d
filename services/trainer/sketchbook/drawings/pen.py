"""The pen: smooth flat shapes in place units, and the outline every item gets.

Here live the palette and the drawing primitives. Not here: what is drawn with them.
Units: a place is 32 units wide and high whatever the resolution drawn at; y grows downward.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from services.trainer.sketchbook.world import PLACE_PX

SCALE = 8
"""Drawn pixels per picture pixel; reducing by it is the anti-aliasing."""

Rgb = tuple[int, int, int]
Point = tuple[float, float]
Layer = npt.NDArray[np.float32]
"""(32, 32, 4): colour already multiplied by its cover (0 to 255), then the cover (0 to 1)."""

INK: Rgb = (54, 44, 70)
CREAM: Rgb = (255, 246, 222)
SNOW: Rgb = (250, 251, 255)
BROWN: Rgb = (134, 84, 54)
LEAF: Rgb = (74, 160, 74)

PALETTE: dict[str, Rgb] = {
    "red": (224, 54, 52),
    "orange": (247, 130, 28),
    "yellow": (253, 217, 54),
    "green": (64, 172, 78),
    "blue": (48, 112, 226),
    "purple": (136, 72, 190),
    "pink": (250, 146, 192),
    "white": (252, 250, 246),
}


def mixed(colour: Rgb, other: Rgb, share: float) -> Rgb:
    """A colour with a share (0 to 1) of another one stirred in."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def darker(colour: Rgb, share: float = 0.22) -> Rgb:
    """A colour in the shade."""
    return mixed(colour, INK, share)


def lighter(colour: Rgb, share: float = 0.4) -> Rgb:
    """A colour in the light."""
    return mixed(colour, (255, 255, 255), share)


class Pen:
    """Draws on one transparent place."""

    def __init__(self, ground: Rgb | None = None) -> None:
        """Start with an empty place, or with one painted all over in ``ground``."""
        side = PLACE_PX * SCALE
        self.image = Image.new("RGBA", (side, side), (*ground, 255) if ground else (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.image)

    def oval(self, x: float, y: float, rx: float, ry: float, *, fill: Rgb) -> None:
        """An upright ellipse around (x, y)."""
        self.draw.ellipse(_scaled((x - rx, y - ry), (x + rx, y + ry)), fill=fill)

    def disc(self, x: float, y: float, radius: float, *, fill: Rgb) -> None:
        """A circle around (x, y)."""
        self.oval(x, y, radius, radius, fill=fill)

    def box(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        *,
        fill: Rgb,
        round_by: float = 0.0,
    ) -> None:
        """A rectangle, its corners rounded by a radius."""
        self.draw.rounded_rectangle(_scaled((x0, y0), (x1, y1)), radius=round_by * SCALE, fill=fill)

    def shape(self, points: Sequence[Point], *, fill: Rgb) -> None:
        """A filled polygon."""
        self.draw.polygon(_scaled(*points), fill=fill)

    def stroke(self, points: Sequence[Point], *, width: float, fill: Rgb) -> None:
        """A line through points with round joints and ends."""
        self.draw.line(_scaled(*points), fill=fill, width=round(width * SCALE), joint="curve")
        for x, y in (points[0], points[-1]):
            self.disc(x, y, width / 2, fill=fill)

    def pie(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        *,
        start: float,
        end: float,
        fill: Rgb,
    ) -> None:
        """A slice of an ellipse between two angles (degrees, clockwise from the right)."""
        self.draw.pieslice(_scaled((x - rx, y - ry), (x + rx, y + ry)), start, end, fill=fill)

    def leaf(
        self, x: float, y: float, length: float, width: float, *, turn: float, fill: Rgb
    ) -> None:
        """An ellipse that starts at (x, y) and points to ``turn`` (degrees, clockwise)."""
        angle = math.radians(turn)
        points: list[Point] = []
        for step in range(24):
            t = 2 * math.pi * step / 24
            along, across = length / 2 * (1 - math.cos(t)), width / 2 * math.sin(t)
            points.append((x + along * math.cos(angle) - across * math.sin(angle),
                           y + along * math.sin(angle) + across * math.cos(angle)))  # fmt: skip
        self.shape(points, fill=fill)

    def erase_oval(self, x: float, y: float, rx: float, ry: float) -> None:
        """Make an oval hole."""
        self.draw.ellipse(_scaled((x - rx, y - ry), (x + rx, y + ry)), fill=(0, 0, 0, 0))

    def keep_disc(self, x: float, y: float, radius: float) -> None:
        """Wipe away everything outside a circle."""
        mask = Image.new("L", self.image.size, 0)
        box = _scaled((x - radius, y - radius), (x + radius, y + radius))
        ImageDraw.Draw(mask).ellipse(box, fill=255)
        nothing = Image.new("RGBA", self.image.size, (0, 0, 0, 0))
        self.image.paste(Image.composite(self.image, nothing, mask))

    def eye(self, x: float, y: float, radius: float = 1.1) -> None:
        """A dark eye with a glint."""
        self.disc(x, y, radius, fill=INK)
        self.disc(x + radius * 0.35, y - radius * 0.35, radius * 0.38, fill=SNOW)

    def layer(self, outline: float = 1.0) -> Layer:
        """What was drawn, outlined in ink about ``outline`` units wide, at picture size."""
        cover = self.image.getchannel("A")
        halo = cover.filter(ImageFilter.GaussianBlur(outline * SCALE * 0.62))
        halo = halo.point([min(255, max(0, (value - 14) * 16)) for value in range(256)])
        inked = Image.new("RGBA", self.image.size, (*INK, 0))
        inked.putalpha(halo)
        return _reduced(Image.alpha_composite(inked, self.image))

    def picture(self) -> npt.NDArray[np.uint8]:
        """What was drawn on a painted ground, at picture size."""
        return np.asarray(self.image.convert("RGB").reduce(SCALE), dtype=np.uint8)


def _scaled(*points: Point) -> list[Point]:
    return [(x * SCALE, y * SCALE) for x, y in points]


def _reduced(image: Image.Image) -> Layer:
    full = np.asarray(image, dtype=np.float32)
    cover = full[..., 3:] / np.float32(255)
    premultiplied = np.concatenate([full[..., :3] * cover, cover], axis=2)
    blocks = premultiplied.reshape(PLACE_PX, SCALE, PLACE_PX, SCALE, 4)
    return blocks.mean(axis=(1, 3), dtype=np.float32)
