"""Made things: house, boat, car, block, ball, balloon, umbrella, kite."""

from __future__ import annotations

from services.trainer.sketchbook.drawings.pen import (
    BROWN,
    CREAM,
    INK,
    Pen,
    Rgb,
    darker,
    lighter,
)

_GLASS: Rgb = (186, 226, 246)
_LAMP: Rgb = (255, 224, 120)
_STEEL: Rgb = (206, 208, 220)
_ROOF: Rgb = (112, 66, 62)


def draw_house(pen: Pen, colour: Rgb) -> None:
    """A cottage with a chimney; its walls carry the colour."""
    pen.box(21, 4, 25, 12, fill=darker(_ROOF))
    pen.box(5, 14, 27, 30.5, fill=colour)
    pen.box(5, 14, 27, 17.2, fill=darker(colour, 0.3))
    pen.shape([(16, 2.5), (30, 15.5), (2, 15.5)], fill=_ROOF)
    pen.box(8, 20.5, 14, 30.5, fill=BROWN, round_by=1.6)
    pen.disc(12.6, 25.8, 0.7, fill=_LAMP)
    pen.box(17.4, 19.6, 24.4, 26.2, fill=INK, round_by=0.8)
    pen.box(18.3, 20.5, 20.5, 25.3, fill=_LAMP)
    pen.box(21.3, 20.5, 23.5, 25.3, fill=_LAMP)


def draw_boat(pen: Pen, colour: Rgb) -> None:
    """A sailing boat; hull, small sail and pennant carry the colour."""
    pen.stroke([(15, 3), (15, 23)], width=1.5, fill=BROWN)
    pen.shape([(15.6, 1.5), (21.5, 3.6), (15.6, 5.6)], fill=colour)
    pen.shape([(16.4, 7), (27.5, 20.5), (16.4, 20.5)], fill=CREAM)
    pen.shape([(13.4, 6), (13.4, 20.5), (4.5, 20.5)], fill=colour)
    pen.shape([(2, 22), (30, 22), (25.5, 30), (7, 30)], fill=colour)
    pen.shape([(4.9, 27), (27.2, 27), (25.5, 30), (7, 30)], fill=darker(colour, 0.3))


def draw_car(pen: Pen, colour: Rgb) -> None:
    """A small round car that drives to the right."""
    pen.shape([(7, 16.5), (10.5, 8), (20.5, 8), (25.5, 16.5)], fill=colour)
    pen.stroke([(10.8, 8.4), (20.2, 8.4)], width=2.4, fill=colour)
    pen.box(2, 15, 30.5, 25.5, fill=colour, round_by=4)
    pen.box(2.4, 21.4, 30, 25.5, fill=darker(colour, 0.25), round_by=2)
    pen.shape([(9.6, 15.6), (12, 10), (15.2, 10), (15.2, 15.6)], fill=_GLASS)
    pen.shape([(17, 15.6), (17, 10), (19.6, 10), (22.9, 15.6)], fill=_GLASS)
    pen.disc(28.3, 18.6, 1.5, fill=_LAMP)
    for x in (9, 23.5):
        pen.disc(x, 25.6, 4.4, fill=INK)
        pen.disc(x, 25.6, 2.0, fill=_STEEL)


def draw_block(pen: Pen, colour: Rgb) -> None:
    """A toy block as large as its place, so that blocks above each other touch."""
    pen.box(0, 0, 32, 32, fill=INK, round_by=2.2)
    pen.box(1, 1, 31, 31, fill=darker(colour, 0.26), round_by=1.6)
    pen.box(1, 1, 31, 28.4, fill=colour, round_by=1.6)
    pen.box(6, 5.6, 26, 24.6, fill=darker(colour, 0.26), round_by=3)
    pen.box(7.2, 6.8, 24.8, 23.4, fill=lighter(colour, 0.34), round_by=2.2)


def draw_ball(pen: Pen, colour: Rgb) -> None:
    """A beach ball with pale panels."""
    panel: Rgb = (158, 176, 206) if min(colour) > 200 else CREAM
    pen.disc(16, 18, 12, fill=colour)
    for start in (-100, 20, 140):
        pen.pie(14, 15, 18, 18, start=start, end=start + 46, fill=panel)
    pen.keep_disc(16, 18, 12)
    pen.disc(14, 15, 2.6, fill=darker(colour, 0.3))
    pen.oval(10.6, 10.4, 1.9, 1.4, fill=lighter(colour, 0.85))


def draw_balloon(pen: Pen, colour: Rgb) -> None:
    """A balloon on a curly string."""
    string = [(16, 23), (16.8, 25.4), (15.4, 28), (16.2, 31)]
    pen.stroke(string, width=0.3, fill=INK)
    pen.shape([(16, 20.5), (18.6, 24.2), (13.4, 24.2)], fill=darker(colour, 0.3))
    pen.oval(16, 11.6, 9.6, 10.4, fill=darker(colour, 0.22))
    pen.oval(15.5, 11.2, 8.9, 9.8, fill=colour)
    pen.oval(12, 7.2, 2.1, 2.9, fill=lighter(colour, 0.75))


def draw_umbrella(pen: Pen, colour: Rgb) -> None:
    """An open umbrella with a hooked handle."""
    pen.stroke([(16, 2.5), (16, 27), (16.6, 29), (18.6, 29.8), (20.6, 29), (21, 27)],
               width=1.8, fill=BROWN)  # fmt: skip
    pen.pie(16, 17.5, 14, 13.6, start=180, end=360, fill=darker(colour, 0.3))
    pen.pie(16, 17.5, 9.4, 13.6, start=180, end=360, fill=colour)
    pen.pie(16, 17.5, 4.6, 13.6, start=180, end=360, fill=lighter(colour, 0.35))
    for x in (6.7, 16, 25.3):
        pen.erase_oval(x, 18.4, 4.2, 2.4)
    pen.stroke([(16, 14), (16, 22)], width=1.8, fill=BROWN)


def draw_kite(pen: Pen, colour: Rgb) -> None:
    """A diamond kite with a tail of bows."""
    pen.stroke([(14, 23), (16, 25), (18.6, 27), (20, 30.4)], width=0.3, fill=INK)
    pen.shape([(18, 1.5), (28, 11), (14, 24), (6, 10)], fill=colour)
    pen.shape([(18, 1.5), (28, 11), (16.6, 10.6)], fill=lighter(colour, 0.45))
    pen.shape([(14, 24), (6, 10), (16.6, 10.6)], fill=darker(colour, 0.28))
    for x, y, half in ((16.2, 25.6, 2.6), (19.8, 29.2, 2.2)):
        pen.shape([(x - half, y - 1.4), (x, y), (x - half, y + 1.4)], fill=colour)
        pen.shape([(x + half, y - 1.4), (x, y), (x + half, y + 1.4)], fill=colour)
