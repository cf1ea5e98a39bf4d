"""Which picture size a request gets: the one it asks for if the generator has it, else a fit."""

from __future__ import annotations

import math

from shared.contracts.generation import GeneratorInfo
from shared.contracts.images import ImageRef
from shared.contracts.problems import FieldProblem
from shared.errors import InvalidRequestError


def check_size(width: int, height: int, info: GeneratorInfo) -> None:
    """Refuse a size the generator cannot draw; nothing is rounded silently.

    Raises:
        InvalidRequestError: with a pointer to each side at fault.
    """
    problems = tuple(
        FieldProblem(pointer=f"/{name}", detail=_rule(info))
        for name, side in (("width", width), ("height", height))
        if not info.min_side_px <= side <= info.max_side_px or side % info.side_multiple_px
    )
    if problems:
        message = f"The generator `{info.name}` cannot draw {width} x {height}: {_rule(info)}."
        raise InvalidRequestError(message, errors=problems)


def fitting_size(image: ImageRef, info: GeneratorInfo) -> tuple[int, int]:
    """The size with about the generator's usual area and the shape of ``image``."""
    area = info.default_width_px * info.default_height_px
    scale = math.sqrt(area / (image.width_px * image.height_px))
    return _snap(image.width_px * scale, info), _snap(image.height_px * scale, info)


def _snap(side: float, info: GeneratorInfo) -> int:
    multiple = info.side_multiple_px
    lowest = math.ceil(info.min_side_px / multiple) * multiple
    highest = info.max_side_px // multiple * multiple
    return min(highest, max(lowest, round(side / multiple) * multiple))


def _rule(info: GeneratorInfo) -> str:
    sides = f"{info.min_side_px} to {info.max_side_px} pixels"
    if info.min_side_px == info.max_side_px:
        sides = f"{info.min_side_px} pixels"
    if info.side_multiple_px == 1:
        return f"each side must have {sides}"
    return f"each side must have {sides} and be a multiple of {info.side_multiple_px}"
