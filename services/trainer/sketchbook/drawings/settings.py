"""Backgrounds: the sky at each time of day, the horizon and the ground of each setting.

A background looks the same in every column, so whatever it shows repeats from place to place:
two rows of sky, two rows of ground, and a horizon at the foot of the second row.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from services.trainer.sketchbook.drawings.pen import Pen, Rgb, darker, lighter, mixed

_WIDTH = 32
_SKIES: dict[str, tuple[Rgb, Rgb, Rgb, Rgb]] = {
    "morning": ((168, 208, 240), (198, 222, 240), (248, 226, 208), (255, 208, 182)),
    "day": ((116, 192, 246), (140, 205, 250), (166, 218, 252), (196, 232, 254)),
    "evening": ((150, 104, 172), (214, 122, 158), (248, 150, 118), (255, 190, 108)),
    "night": ((26, 28, 72), (32, 36, 86), (40, 46, 102), (52, 60, 120)),
    "rain": ((128, 140, 158), (142, 154, 170), (156, 167, 181), (172, 182, 193)),
}
"""Two bands a row, from the top of the picture to the horizon."""

_LIGHTS: dict[str, tuple[Rgb, float]] = {
    "morning": ((255, 214, 186), 0.20),
    "day": ((255, 255, 255), 0.0),
    "evening": ((196, 84, 96), 0.30),
    "night": ((24, 32, 112), 0.60),
    "rain": ((104, 116, 134), 0.36),
}
"""The tint that each time of day throws over ground and horizon."""

_PAPER: Rgb = (253, 246, 228)
_PAPER_LINE: Rgb = (222, 230, 228)
_WINDOW: Rgb = (255, 222, 120)
_STARS = (((6.5, 7.5, 1.1), (21.5, 13.5, 0.7), (12.5, 25.5, 0.8), (27.5, 28.5, 0.5)),
          ((26.5, 4.5, 0.7), (8.5, 12.5, 0.9)))  # fmt: skip
_DROPS = (((5.0, 4.0), (16.0, 12.0), (27.0, 5.0), (9.0, 22.0), (24.0, 24.0)),
          ((10.0, 3.0), (22.0, 10.0), (4.0, 14.0)),
          ((7.0, 5.0), (23.0, 17.0)),
          ((14.0, 8.0), (28.0, 20.0)))  # fmt: skip


def paint_row(pen: Pen, setting: str, time: str, row: int) -> None:
    """One place of a background, empty; it is the same in each column of the row."""
    if setting == "paper":
        _paper(pen)
        return
    if row < 2:
        _sky(pen, time, row)
    if row > 0:
        _LANDS[setting](pen, _tint(time), row, time)
    if time == "rain":
        _rain(pen, row)


_Tint = Callable[[Rgb], Rgb]


def _tint(time: str) -> _Tint:
    light, share = _LIGHTS[time]
    return lambda colour: mixed(colour, light, share)


def _paper(pen: Pen) -> None:
    pen.box(0, 0, 32, 32, fill=_PAPER)
    for at in (8.0, 24.0):
        pen.box(at - 0.5, 0, at + 0.5, 32, fill=_PAPER_LINE)
        pen.box(0, at - 0.5, 32, at + 0.5, fill=_PAPER_LINE)


def _sky(pen: Pen, time: str, row: int) -> None:
    upper, lower = _SKIES[time][2 * row : 2 * row + 2]
    pen.box(0, 0, 32, 16, fill=upper)
    pen.box(0, 16, 32, 32, fill=lower)
    if time == "night":
        for x, y, radius in _STARS[row]:
            pen.disc(x, y, radius, fill=(236, 236, 255))


def _rain(pen: Pen, row: int) -> None:
    for x, y in _DROPS[row]:
        pen.stroke([(x, y), (x - 1.7, y + 4.2)], width=0.9, fill=(206, 218, 234))


def _wave(pen: Pen, y: float, height: float, *, shift: float, fill: Rgb) -> None:
    """Everything below a wavy line that meets itself in the next place."""
    line = [(float(x), y - height * math.sin(math.tau * (x / _WIDTH + shift)))
            for x in range(-1, _WIDTH + 2)]  # fmt: skip
    pen.shape([*line, (_WIDTH + 1, 40), (-1, 40)], fill=fill)


def _ripple(pen: Pen, x: float, y: float, width: float, *, fill: Rgb) -> None:
    points = [(x, y), (x + width * 0.25, y - 1.2), (x + width * 0.5, y - 1.5),
              (x + width * 0.75, y - 1.2), (x + width, y)]  # fmt: skip
    pen.stroke(points, width=1.0, fill=fill)


def _tuft(pen: Pen, x: float, y: float, *, fill: Rgb) -> None:
    for lean in (-1.6, 0.0, 1.6):
        pen.stroke([(x, y), (x + lean, y - 3.2 + abs(lean) * 0.5)], width=0.8, fill=fill)


def _meadow(pen: Pen, tint: _Tint, row: int, _time: str) -> None:
    grass = (132, 200, 88)
    if row == 1:
        _wave(pen, 25, 3, shift=0.1, fill=tint((148, 206, 158)))
        _wave(pen, 29, 1.6, shift=0.55, fill=tint((140, 204, 112)))
        return
    pen.box(0, 0, 32, 32, fill=tint(grass if row == 2 else darker(grass, 0.10)))
    blade = tint(darker(grass, 0.26))
    for x, y in ((6.0, 9.0), (22.0, 24.0)) if row == 2 else ((25.0, 10.0), (9.0, 27.0)):
        _tuft(pen, x, y, fill=blade)
    spots = ((19.0, 8.0), (8.0, 22.0)) if row == 2 else ((7.0, 8.0), (21.0, 22.0))
    for x, y in spots:
        pen.disc(x, y, 0.9, fill=tint((255, 250, 214)))


def _beach(pen: Pen, tint: _Tint, row: int, _time: str) -> None:
    sand, water = (246, 220, 160), (74, 176, 206)
    if row == 1:
        pen.box(0, 22, 32, 32, fill=tint(water))
        _ripple(pen, 4, 27, 7, fill=tint(lighter(water, 0.5)))
        _ripple(pen, 19, 30, 7, fill=tint(lighter(water, 0.5)))
        return
    pen.box(0, 0, 32, 32, fill=tint(sand if row == 2 else darker(sand, 0.07)))
    if row == 2:
        _surf(pen, tint, water, sand)
    for x, y in ((7.0, 18.0), (24.0, 23.0), (13.0, 28.0)) if row == 2 else (
        (5.0, 6.0), (20.0, 11.0), (11.0, 21.0), (27.0, 26.0)
    ):  # fmt: skip
        pen.disc(x, y, 0.8, fill=tint(darker(sand, 0.24)))


def _surf(pen: Pen, tint: _Tint, water: Rgb, sand: Rgb) -> None:
    pen.box(0, 0, 32, 8, fill=tint(lighter(water, 0.12)))
    _wave(pen, 7.0, 1.6, shift=0.2, fill=tint((248, 252, 255)))
    _wave(pen, 9.4, 1.6, shift=0.2, fill=tint(darker(sand, 0.12)))
    _wave(pen, 12.0, 1.6, shift=0.2, fill=tint(sand))


def _sea(pen: Pen, tint: _Tint, row: int, _time: str) -> None:
    water = (58, 142, 200)
    if row == 1:
        pen.box(0, 26, 32, 32, fill=tint(lighter(water, 0.22)))
        return
    pen.box(0, 0, 32, 32, fill=tint(water if row == 2 else darker(water, 0.16)))
    crest = tint(lighter(water, 0.5))
    crests = ((3.0, 7.0), (18.0, 15.0), (5.0, 25.0)) if row == 2 else (
        (17.0, 6.0), (2.0, 15.0), (19.0, 26.0)
    )  # fmt: skip
    for x, y in crests:
        _ripple(pen, x, y, 9, fill=crest)


def _snow(pen: Pen, tint: _Tint, row: int, _time: str) -> None:
    snow = (238, 244, 252)
    if row == 1:
        pen.shape(
            [(-1, 32), (7, 17), (16, 29), (23, 20), (33, 32)],
            fill=tint((166, 184, 212)),
        )
        pen.shape([(3.8, 23), (7, 17), (10.4, 21.6), (7.6, 22.4)], fill=tint(snow))
        pen.shape([(20, 24), (23, 20), (26.6, 24.2), (23, 23.2)], fill=tint(snow))
        _wave(pen, 29.5, 1.5, shift=0.3, fill=tint((222, 232, 246)))
        return
    pen.box(0, 0, 32, 32, fill=tint(snow if row == 2 else darker(snow, 0.06)))
    hollow = tint((200, 214, 236))
    for x, y in ((4.0, 10.0), (18.0, 24.0)) if row == 2 else ((17.0, 9.0), (5.0, 25.0)):
        _ripple(pen, x, y, 9, fill=hollow)


def _desert(pen: Pen, tint: _Tint, row: int, _time: str) -> None:
    dune = (236, 178, 104)
    if row == 1:
        pen.shape([(3, 32), (6, 19), (14, 19), (18, 32)], fill=tint((206, 126, 88)))
        pen.box(5.6, 22, 15, 24, fill=tint((224, 150, 106)))
        _wave(pen, 28, 2.4, shift=0.4, fill=tint(lighter(dune, 0.16)))
        return
    pen.box(0, 0, 32, 32, fill=tint(dune if row == 2 else darker(dune, 0.08)))
    wave = tint(darker(dune, 0.24)) if row == 3 else tint(darker(dune, 0.18))
    for x, y in ((3.0, 8.0), (17.0, 17.0), (4.0, 27.0)) if row == 2 else (
        (16.0, 7.0), (2.0, 16.0), (17.0, 26.0)
    ):  # fmt: skip
        _ripple(pen, x, y, 11, fill=wave)


def _town(pen: Pen, tint: _Tint, row: int, time: str) -> None:
    if row == 1:
        _skyline(pen, tint, lit=_WINDOW if time == "night" else tint((222, 228, 240)))
    elif row == 2:
        slab = (204, 196, 190)
        pen.box(0, 0, 32, 32, fill=tint(slab))
        for x, y0, y1 in ((8, 0, 13), (24, 13, 26)):
            pen.box(x, y0, x + 0.8, y1, fill=tint(darker(slab, 0.16)))
        pen.box(0, 12.6, 32, 13.4, fill=tint(darker(slab, 0.16)))
        pen.box(0, 26, 32, 29, fill=tint(lighter(slab, 0.5)))
        pen.box(0, 29, 32, 32, fill=tint(darker(slab, 0.4)))
    else:
        pen.box(0, 0, 32, 32, fill=tint((124, 126, 138)))
        pen.box(6, 15, 26, 17.4, fill=tint((246, 240, 214)))


def _skyline(pen: Pen, tint: _Tint, *, lit: Rgb) -> None:
    wall = tint((160, 168, 194))
    pen.box(0, 20, 9, 32, fill=wall)
    pen.box(9, 14, 17, 32, fill=tint((178, 184, 206)))
    pen.shape([(9, 14), (13, 11), (17, 14)], fill=tint((178, 184, 206)))
    pen.box(17, 23, 25, 32, fill=wall)
    pen.box(25, 18, 32, 32, fill=tint((146, 154, 184)))
    for x, y in ((2, 23), (5.6, 23), (2, 27), (10.8, 17), (13.8, 17), (10.8, 21.4), (13.8, 25.8),
                 (19, 26), (22, 26), (26.6, 21), (29.4, 25)):  # fmt: skip
        pen.box(x, y, x + 1.6, y + 2, fill=lit)


_LANDS: dict[str, Callable[[Pen, _Tint, int, str], None]] = {
    "meadow": _meadow,
    "beach": _beach,
    "sea": _sea,
    "snow": _snow,
    "desert": _desert,
    "town": _town,
}
