"""Animals: cat, fish and bird in eight colours; cow, dog, hen and bee in their own."""

from __future__ import annotations

from services.trainer.sketchbook.drawings.pen import (
    INK,
    SNOW,
    Pen,
    Rgb,
    darker,
    lighter,
)

_PINK: Rgb = (246, 164, 176)
_BEAK: Rgb = (250, 164, 40)
_COMB: Rgb = (220, 50, 48)
_TAN: Rgb = (204, 146, 88)
_HORN: Rgb = (240, 222, 178)
_HEN: Rgb = (214, 126, 66)
_HONEY: Rgb = (254, 206, 48)
_WING: Rgb = (214, 238, 252)


def draw_cat(pen: Pen, colour: Rgb) -> None:
    """A cat that sits and looks at you."""
    pen.stroke([(22, 28), (27.5, 27), (28.5, 22.5), (26.5, 19.5)], width=3, fill=darker(colour))
    pen.oval(16, 25, 8.2, 6.2, fill=colour)
    pen.oval(16, 26.6, 4, 4.6, fill=lighter(colour, 0.5))
    for side in (-1, 1):
        pen.shape([(16 + side * 9.6, 2.5), (16 + side * 10, 12), (16 + side * 2.4, 7.4)],
                  fill=colour)  # fmt: skip
        pen.shape([(16 + side * 8.6, 5.2), (16 + side * 8.6, 10), (16 + side * 4.8, 7.6)],
                  fill=_PINK)  # fmt: skip
    pen.oval(16, 13.2, 10.2, 8, fill=colour)
    for side in (-1, 1):
        pen.eye(16 + side * 4.2, 12.4, 1.6)
        pen.stroke([(16 + side * 5, 16.2), (16 + side * 9, 15.6)], width=0.5, fill=INK)
        pen.stroke([(16, 17.2), (16 + side * 1.7, 18.5), (16 + side * 3.4, 17.4)],
                   width=0.6, fill=INK)  # fmt: skip
        pen.disc(16 + side * 3.4, 30, 2, fill=darker(colour, 0.14))
    pen.shape([(14.6, 15), (17.4, 15), (16, 16.8)], fill=_PINK)


def draw_fish(pen: Pen, colour: Rgb) -> None:
    """A plump fish that swims to the left."""
    pen.shape([(20, 16), (30.5, 8), (28.4, 16.4), (30.5, 25)], fill=darker(colour, 0.22))
    pen.shape([(10, 11), (16, 4.5), (20.5, 11)], fill=darker(colour, 0.22))
    pen.shape([(12, 22), (17.5, 28), (19, 21)], fill=darker(colour, 0.22))
    pen.oval(13.2, 16.4, 11.4, 8.2, fill=colour)
    pen.oval(12, 20, 7.6, 3.6, fill=lighter(colour, 0.5))
    pen.leaf(14.6, 16.8, 6, 4, turn=20, fill=darker(colour, 0.3))
    pen.disc(7.4, 14.2, 2.4, fill=SNOW)
    pen.eye(7, 14.2, 1.4)
    pen.stroke([(2.6, 18.4), (5, 19)], width=0.8, fill=INK)


def draw_bird(pen: Pen, colour: Rgb) -> None:
    """A round little bird that looks to the right."""
    for x in (13.4, 18.2):
        pen.stroke([(x, 26), (x, 30), (x + 2, 30.4)], width=1.1, fill=_BEAK)
    pen.shape([(8, 16), (1.5, 12), (2, 21.5), (9, 22)], fill=darker(colour, 0.3))
    pen.oval(15, 18.4, 9.6, 8.6, fill=colour)
    pen.disc(20, 11, 7, fill=colour)
    pen.oval(18, 22.2, 6, 4.4, fill=lighter(colour, 0.6))
    pen.leaf(18, 17.4, 12, 7.4, turn=166, fill=darker(colour, 0.3))
    pen.shape([(26, 9.2), (31, 11.8), (26, 13.6)], fill=_BEAK)
    pen.eye(22, 10, 1.6)


def draw_cow(pen: Pen) -> None:
    """A black and white cow with a pink muzzle."""
    for x in (7, 11.6, 19, 23.4):
        pen.box(x, 21, x + 3, 30.4, fill=SNOW)
        pen.box(x, 28, x + 3, 30.4, fill=INK)
    pen.oval(14, 24.6, 2.6, 2, fill=_PINK)
    pen.stroke([(27, 14), (29.6, 17), (29.4, 22)], width=1, fill=INK)
    pen.box(5.5, 11.5, 28, 24, fill=SNOW, round_by=5)
    pen.oval(16.6, 15, 3.6, 3.2, fill=INK)
    pen.oval(23.6, 20, 3.4, 3, fill=INK)
    for side in (-1, 1):
        pen.stroke([(8.5 + side * 3, 5.4), (8.5 + side * 4.6, 2.6)], width=1.6, fill=_HORN)
        pen.oval(8.5 + side * 6, 8, 2.2, 1.5, fill=INK)
    pen.box(3.8, 4.6, 13.2, 18, fill=SNOW, round_by=4)
    pen.oval(8.5, 16, 5.4, 3.4, fill=_PINK)
    for side in (-1, 1):
        pen.eye(8.5 + side * 2.4, 9.8, 1.2)
        pen.disc(8.5 + side * 2, 16, 0.8, fill=darker(_PINK, 0.6))


def draw_dog(pen: Pen) -> None:
    """A tan dog with hanging ears that wags its tail."""
    ear = darker(_TAN, 0.5)
    pen.stroke([(7, 18), (3.4, 14.6), (3, 10.6)], width=2.6, fill=_TAN)
    for x in (6, 10, 18, 21.6):
        pen.box(
            x,
            22,
            x + 3.2,
            30.5,
            fill=_TAN if x in (6, 18) else darker(_TAN),
            round_by=1,
        )
    pen.box(5, 15.4, 25, 25.2, fill=_TAN, round_by=4.6)
    pen.oval(11, 17.8, 4.6, 2.8, fill=ear)
    pen.disc(21.5, 10.8, 7, fill=_TAN)
    pen.box(22, 10.6, 31, 16.4, fill=lighter(_TAN, 0.5), round_by=2.8)
    pen.oval(30, 11.6, 1.7, 1.4, fill=INK)
    pen.box(14, 5.6, 19, 16.6, fill=ear, round_by=2.5)
    pen.eye(23, 8.8, 1.3)
    pen.box(17.4, 16.8, 24.8, 18.8, fill=_COMB, round_by=0.9)
    pen.shape([(24.6, 16.2), (28, 16.2), (26.6, 18.8)], fill=_PINK)


def draw_hen(pen: Pen) -> None:
    """A brown hen with a red comb."""
    for x in (14, 18.6):
        pen.stroke([(x, 25), (x, 30), (x + 2.2, 30.4)], width=1.2, fill=_BEAK)
    for turn in (200, 222, 244):
        pen.leaf(9, 19, 10, 4.6, turn=turn, fill=darker(_HEN, 0.4))
    pen.pie(15.6, 15.6, 10.6, 11, start=0, end=180, fill=_HEN)
    pen.box(18, 7, 26.2, 19, fill=_HEN, round_by=4)
    for x, y in ((19.6, 5.4), (22, 4.2), (24.4, 5.4)):
        pen.disc(x, y, 2, fill=_COMB)
    pen.disc(22.2, 9, 4.3, fill=_HEN)
    pen.shape([(25.8, 8), (30.2, 10), (25.8, 11.6)], fill=_BEAK)
    pen.oval(25.4, 13.6, 1.4, 2.2, fill=_COMB)
    pen.leaf(19.6, 18.6, 11, 6.6, turn=172, fill=lighter(_HEN, 0.45))
    pen.eye(23, 8.6, 1.2)


def draw_bee(pen: Pen) -> None:
    """A striped bee in the air."""
    pen.leaf(16, 14, 12, 8, turn=236, fill=_WING)
    pen.leaf(18, 14, 12, 8, turn=290, fill=lighter(_WING, 0.5))
    pen.shape([(5.5, 17), (1.6, 19.4), (5.5, 22)], fill=INK)
    pen.oval(15, 19.6, 10.6, 7.4, fill=_HONEY)
    for x, half in ((9.6, 6), (15.6, 7.2)):
        pen.box(x - 1.5, 19.6 - half, x + 1.5, 19.6 + half, fill=INK, round_by=1)
    pen.disc(24.2, 18.6, 5.4, fill=_HONEY)
    pen.stroke([(24.6, 13.6), (26, 10), (28, 9.4)], width=0.9, fill=INK)
    pen.eye(26, 17.6, 1.4)
    pen.stroke([(25.4, 21.4), (27, 21.6), (28, 20.6)], width=0.7, fill=INK)
