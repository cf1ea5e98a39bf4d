"""Reads the data sets of ``interleave data`` as TRL takes them.

Not here: how they are written (``data.datasets``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datasets import Dataset, Features, Image, Json, List, Value

from services.trainer.benchmarks.loading import read_rows
from services.trainer.benchmarks.records import BenchmarkDataError

TRAIN, HELD_OUT = "train", "heldout"
_KINDS = {str: "string", bool: "bool", int: "int64", float: "float64"}


def load_rows(folder: Path, split: str = TRAIN, *, limit: int | None = None) -> Dataset:
    """A data set's rows; pictures are opened when a row is read.

    Raises:
        BenchmarkDataError: There is no such data set, or it is empty, or a picture is missing.
    """
    rows = read_rows(folder / f"{split}.jsonl")[:limit]
    if not rows:
        raise BenchmarkDataError(f"{folder / split}.jsonl holds no rows; make more data")
    placed = [_placed(dict(row), folder) for row in rows]
    return Dataset.from_list(placed, features=_features(placed[0]))


def _placed(row: dict[str, Any], folder: Path) -> dict[str, Any]:
    images = [folder / name for name in row.get("images", [])]
    for image in images:
        if not image.is_file():
            raise BenchmarkDataError(f"no picture {image}")
    return {**row, "images": [str(image) for image in images]}


def _features(row: dict[str, Any]) -> Features:
    """Messages stay as they are: Arrow would fill in the keys that image parts lack."""
    known: dict[str, Any] = {"prompt": List(Json()), "completion": List(Json())}
    for name, value in row.items():
        if name not in known and name != "images":
            known[name] = Value(_KINDS.get(type(value), "string"))
    return Features({name: known[name] for name in row if name != "images"}
                    | {"images": List(Image())})  # fmt: skip
