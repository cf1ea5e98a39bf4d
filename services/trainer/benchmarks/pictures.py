"""Pictures as the judge and other programs want them: PNG bytes of a bounded size, JPEG files.

Not here: Sketchbook pictures as scenes (``sketchbench_scores``).
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from services.trainer.benchmarks.folder import write_atomically
from services.trainer.benchmarks.records import BenchmarkDataError

JUDGE_SIDE_PX = 768
"""Longest side a judge is shown. Source: RISEBench's evaluation."""


def opened(path: Path) -> Image.Image:
    """A picture as RGB.

    Raises:
        BenchmarkDataError: There is no such picture.
    """
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise BenchmarkDataError(f"{path} is no picture") from error


def for_judge(path: Path, *, side_px: int = JUDGE_SIDE_PX) -> bytes:
    """A picture as PNG, made smaller when a side is longer than ``side_px``."""
    image = opened(path)
    image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    return png(image)


def png(image: Image.Image) -> bytes:
    """A picture as the bytes of a PNG file."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def write_as(source: Path, target: Path) -> None:
    """Copy a picture in the format that the target's name says.

    Raises:
        ResultsFolderError: The target cannot be written.
    """
    if source.suffix.lower() == target.suffix.lower():
        write_atomically(target, source.read_bytes())
        return
    out = io.BytesIO()
    image = opened(source)
    if target.suffix.lower() == ".png":
        image.save(out, "PNG")
    else:
        image.save(out, "JPEG", quality=95)
    write_atomically(target, out.getvalue())
