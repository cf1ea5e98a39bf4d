"""Digits and capital letters, written on little cards: digits in blue, letters in red."""

from __future__ import annotations

from PIL import ImageFont

from services.trainer.sketchbook.drawings.pen import CREAM, SCALE, Pen, Rgb, darker

_DIGIT_INK: Rgb = (36, 74, 168)
_LETTER_INK: Rgb = (186, 42, 50)
_SIZE = 23
_STROKE = 0.75


def draw_glyph(pen: Pen, glyph: str) -> None:
    """One character, large, in the middle of a card."""
    pen.box(3, 2, 29, 30, fill=darker(CREAM, 0.14), round_by=3.5)
    pen.box(3, 2, 29, 28.6, fill=CREAM, round_by=3.5)
    ink = _DIGIT_INK if glyph.isdigit() else _LETTER_INK
    font = ImageFont.load_default(size=_SIZE * SCALE)
    stroke = round(_STROKE * SCALE)
    left, top, right, bottom = font.getbbox(glyph, stroke_width=stroke)
    corner = (16 * SCALE - (left + right) / 2, 15.4 * SCALE - (top + bottom) / 2)
    pen.draw.text(corner, glyph, font=font, fill=ink, stroke_width=stroke, stroke_fill=ink)
    if glyph == "0":
        pen.disc(16, 15.4, 1.7, fill=ink)
