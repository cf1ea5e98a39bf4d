"""Nature: tree, flower, snowman and moon in their stages; sun, cloud, star, apple, mushroom."""

from __future__ import annotations

import math

from services.trainer.sketchbook.drawings.pen import (
    BROWN,
    CREAM,
    INK,
    LEAF,
    SNOW,
    Pen,
    Point,
    Rgb,
    darker,
    lighter,
    mixed,
)

_GOLD: Rgb = (255, 212, 62)
_GLOW: Rgb = (255, 178, 46)
_MOON: Rgb = (255, 238, 170)
_SHADE: Rgb = (214, 226, 242)
_CARROT: Rgb = (246, 130, 32)
_RED: Rgb = (222, 48, 46)
_HEART: Rgb = (255, 196, 40)


def draw_tree(pen: Pen, stage: int) -> None:
    """A sapling, a young round tree, or a great tree that fills its place."""
    if stage == 1:
        pen.stroke([(16, 30.5), (16, 21)], width=1.8, fill=BROWN)
        pen.leaf(16, 25, 8, 4.4, turn=212, fill=LEAF)
        pen.leaf(16, 25, 8, 4.4, turn=-32, fill=LEAF)
        pen.leaf(16, 23, 7.4, 4.4, turn=-90, fill=lighter(LEAF, 0.25))
    elif stage == 2:
        pen.box(14.2, 19, 17.8, 30.5, fill=BROWN)
        pen.disc(16, 15.6, 7.6, fill=LEAF)
        pen.disc(14.4, 13.6, 4, fill=lighter(LEAF, 0.25))
    else:
        pen.shape([(13, 17), (19, 17), (21.6, 31), (10.4, 31)], fill=BROWN)
        for x, y, radius in (
            (8.4, 15.4, 6.6),
            (23.6, 15.4, 6.6),
            (16, 9, 7.8),
            (16, 17, 6.4),
        ):
            pen.disc(x, y, radius, fill=darker(LEAF, 0.2))
        for x, y, radius in ((8, 14, 5), (22.6, 14, 5), (15.6, 8.2, 6.4)):
            pen.disc(x, y, radius, fill=LEAF)
        for x, y in ((7, 12.4), (13.8, 6.4), (21.6, 12.4)):
            pen.disc(x, y, 2.2, fill=lighter(LEAF, 0.3))


def draw_flower(pen: Pen, colour: Rgb, stage: int) -> None:
    """A bud close to the ground, a tulip half open, or a large blossom."""
    top = {1: 24.0, 2: 15.0, 3: 11.0}[stage]
    pen.stroke([(16, 30.6), (16, top)], width=1.7, fill=darker(LEAF, 0.15))
    if stage == 1:
        pen.leaf(16, 30, 8.4, 3.6, turn=205, fill=LEAF)
        pen.leaf(16, 30, 8.4, 3.6, turn=-25, fill=LEAF)
        pen.oval(16, 20.4, 4.9, 6.2, fill=colour)
        pen.pie(16, 23.6, 4.7, 3.6, start=0, end=180, fill=LEAF)
        return
    pen.leaf(16, 29.6, 11, 4.6, turn=218, fill=LEAF)
    pen.leaf(16, 29.6, 11, 4.6, turn=-38, fill=LEAF)
    if stage == 2:
        _tulip(pen, colour)
    else:
        _blossom(pen, colour)


def _tulip(pen: Pen, colour: Rgb) -> None:
    pen.shape([(9.6, 6.5), (13, 10), (16, 5), (19, 10), (22.4, 6.5), (22.4, 14), (9.6, 14)],
              fill=colour)  # fmt: skip
    pen.pie(16, 13.4, 6.4, 6.2, start=0, end=180, fill=colour)
    pen.leaf(16, 19.4, 12, 5.4, turn=-90, fill=darker(colour, 0.2))


def _blossom(pen: Pen, colour: Rgb) -> None:
    for step in range(8):
        angle = math.tau * step / 8
        x, y = 16 + 7 * math.cos(angle), 11 + 7 * math.sin(angle)
        pen.disc(x, y, 3.5, fill=colour if step % 2 else darker(colour, 0.14))
    heart = darker(_HEART, 0.35) if colour[0] > 230 and 180 < colour[1] < 240 else _HEART
    pen.disc(16, 11, 4.2, fill=heart)


def draw_snowman(pen: Pen, stage: int) -> None:
    """One snowball, two snowballs, or the finished snowman with hat and scarf."""
    _snowball(pen, 16, 23.4 if stage < 3 else 23.8, 7.6 if stage < 3 else 7.2)
    if stage == 1:
        return
    _snowball(pen, 16, 11.8, 5.8)
    if stage == 2:
        return
    pen.stroke([(9.6, 20.6), (3.4, 15.8)], width=1.2, fill=BROWN)
    pen.stroke([(22.4, 20.6), (28.6, 15.8)], width=1.2, fill=BROWN)
    pen.box(11, 15.6, 21, 18.4, fill=_RED, round_by=1.3)
    pen.box(18.4, 16.6, 21, 23, fill=_RED, round_by=0.8)
    pen.box(10, 5.4, 22, 7.6, fill=INK, round_by=0.8)
    pen.box(12, 0.8, 20, 6.4, fill=INK, round_by=0.8)
    pen.box(12, 4, 20, 5.4, fill=_RED)
    for x in (13.6, 18.4):
        pen.disc(x, 10.4, 1, fill=INK)
    pen.shape([(15.6, 11.4), (22.4, 13), (15.6, 14)], fill=_CARROT)
    for y in (21.4, 24.6, 27.8):
        pen.disc(15, y, 0.9, fill=INK)


def _snowball(pen: Pen, x: float, y: float, radius: float) -> None:
    pen.disc(x, y, radius, fill=_SHADE)
    pen.disc(x - radius * 0.1, y - radius * 0.12, radius * 0.86, fill=SNOW)


def draw_moon(pen: Pen, stage: int) -> None:
    """A crescent, a half moon, or a full moon with craters."""
    if stage == 1:
        pen.disc(17, 16, 11.5, fill=_MOON)
        pen.erase_oval(22.5, 13.4, 10, 10)
    elif stage == 2:
        pen.pie(11, 16, 12, 12, start=-90, end=90, fill=_MOON)
        pen.disc(16.4, 11.6, 1.8, fill=mixed(_MOON, BROWN, 0.25))
        pen.disc(15.4, 21, 2.2, fill=mixed(_MOON, BROWN, 0.25))
    else:
        pen.disc(16, 16, 12.6, fill=_MOON)
        for x, y, radius in (
            (11.4, 11.6, 2.6),
            (20.6, 14, 1.9),
            (14.6, 21.4, 3),
            (22, 21.6, 1.5),
        ):
            pen.disc(x, y, radius, fill=mixed(_MOON, BROWN, 0.25))


def draw_sun(pen: Pen) -> None:
    """A smiling sun."""
    pen.shape(_spikes(16, 16, 15, 10.4, 12), fill=_GLOW)
    pen.disc(16, 16, 9.2, fill=_GOLD)
    for side in (-1, 1):
        pen.disc(16 + side * 3.2, 14, 1.2, fill=INK)
        pen.disc(16 + side * 5.4, 17.4, 1.5, fill=_GLOW)
    pen.stroke([(12.6, 17.6), (14, 19.6), (16, 20.4), (18, 19.6), (19.4, 17.6)],
               width=1.1, fill=INK)  # fmt: skip


def draw_cloud(pen: Pen) -> None:
    """A fair-weather cloud."""
    for dy, fill in ((0.0, _SHADE), (-1.8, SNOW)):
        for x, y, radius in ((8, 20, 5.6), (15, 15.4, 7.6), (23.4, 19, 6.4)):
            pen.disc(x, y + dy, radius, fill=fill)
        pen.box(8, 18 + dy, 23, 25.4 + dy, fill=fill, round_by=2)


def draw_star(pen: Pen) -> None:
    """A golden five-pointed star."""
    pen.shape(_spikes(16, 17, 14.4, 6.2, 5), fill=_GOLD)
    pen.shape(_spikes(16, 16.6, 8.6, 3.8, 5), fill=lighter(_GOLD, 0.55))


def _spikes(x: float, y: float, outer: float, inner: float, count: int) -> list[Point]:
    points: list[Point] = []
    for step in range(2 * count):
        radius, angle = (
            inner if step % 2 else outer,
            math.pi * step / count - math.pi / 2,
        )
        points.append((x + radius * math.cos(angle), y + radius * math.sin(angle)))
    return points


def draw_apple(pen: Pen) -> None:
    """A red apple with a leaf."""
    for x in (11.6, 20.4):
        pen.oval(x, 19.4, 8.2, 10, fill=_RED)
    pen.oval(16, 23, 8.6, 7, fill=_RED)
    pen.oval(9.4, 15.8, 2.2, 3, fill=lighter(_RED, 0.6))
    pen.stroke([(16, 12), (16.6, 7.6), (18, 4.4)], width=1.7, fill=BROWN)
    pen.leaf(17, 8.6, 10, 5, turn=-24, fill=LEAF)


def draw_mushroom(pen: Pen) -> None:
    """A toadstool: red cap, white spots."""
    pen.box(11, 15, 21, 30.6, fill=CREAM, round_by=3.4)
    pen.box(17.6, 17, 21, 30.6, fill=darker(CREAM, 0.16), round_by=2)
    pen.pie(16, 18, 14, 15, start=180, end=360, fill=_RED)
    pen.box(2, 15.8, 30, 20, fill=_RED, round_by=2)
    pen.box(10, 18, 22, 20, fill=darker(CREAM, 0.3))
    for x, y, radius in (
        (9, 12.8, 2.5),
        (17, 7.8, 2.7),
        (23.6, 13.4, 2.3),
        (15.8, 14.8, 1.7),
    ):
        pen.disc(x, y, radius, fill=SNOW)
