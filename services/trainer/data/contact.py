"""A sheet of samples to look at: for each step the picture before and every attempt, marked.

Not here: the data card (``card``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

from PIL import Image, ImageDraw

_CELL_PX = 132
_TEXT_PX = 46
_MARGIN_PX = 6
_LETTERS_PER_LINE = 21
_LINES = 3
_FRAMES = {True: "#2b8a3e", False: "#c92a2a", None: "#adb5bd"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A picture with a few words under it; the frame shows the verdict."""

    picture: Path | None
    words: str
    verdict: bool | None = None


def write_sheet(rows: Sequence[Sequence[Cell]], target: Path) -> None:
    """Draw rows of cells into one PNG file."""
    columns = max((len(row) for row in rows), default=1)
    height = _CELL_PX + _TEXT_PX
    sheet = Image.new("RGB", (columns * _CELL_PX, max(1, len(rows)) * height), "white")
    draw = ImageDraw.Draw(sheet)
    for line, row in enumerate(rows):
        for column, cell in enumerate(row):
            _draw(sheet, draw, cell, at=(column * _CELL_PX, line * height))
    part = target.with_name(f"{target.name}.part")
    sheet.save(part, "PNG", optimize=True)
    part.replace(target)


def _draw(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, cell: Cell, *, at: tuple[int, int]
) -> None:
    left, top = at
    side = _CELL_PX - 2 * _MARGIN_PX
    inner = (left + _MARGIN_PX, top + _MARGIN_PX)
    corner = (inner[0] + side, inner[1] + side)
    draw.rectangle(((inner[0] - 3, inner[1] - 3), (corner[0] + 2, corner[1] + 2)),
                   fill=_FRAMES[cell.verdict])  # fmt: skip
    if cell.picture is not None:
        with Image.open(cell.picture) as image:
            sheet.paste(image.convert("RGB").resize((side, side)), inner)
    else:
        draw.rectangle((inner, corner), fill="white")
    words = "\n".join(wrap(cell.words, _LETTERS_PER_LINE)[:_LINES])
    draw.text((left + _MARGIN_PX, corner[1] + 4), words, fill="black")
