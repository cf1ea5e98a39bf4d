"""Reading a benchmark's own files: JSON, JSON lines, Parquet, torch lists; pictures by path.

Not here: what the fields mean (one module per benchmark).
"""

from __future__ import annotations

import importlib
import json
import math
import pickle
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from services.trainer.benchmarks.records import BenchmarkDataError, Item

Row = Mapping[str, object]


def read_rows(path: Path) -> list[Row]:
    """The records of a ``.json`` (a list), ``.jsonl``, ``.parquet`` or ``.pth`` file.

    Raises:
        BenchmarkDataError: There is no such file, or it holds something else.
    """
    try:
        rows = _read(path)
    except FileNotFoundError as error:
        raise BenchmarkDataError(f"no file {path}; give the benchmark's own data") from error
    except ValueError as error:
        raise BenchmarkDataError(f"{path} cannot be read: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BenchmarkDataError(f"{path} should hold a list of records")
    return rows


def _read(path: Path) -> object:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    if path.suffix == ".parquet":
        return _parquet().read_table(path).to_pylist()
    if path.suffix in {".pth", ".pt"}:
        return _torch_list(path)
    return json.loads(path.read_text("utf-8"))


def _parquet() -> Any:  # noqa: ANN401 - an optional package without types
    try:
        return importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise BenchmarkDataError("reading .parquet needs the package pyarrow") from error


def _torch_list(path: Path) -> object:
    """Plain data saved by torch (CoMM's own files); nothing in it is executed."""
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise BenchmarkDataError(f"reading {path.name} needs the package torch") from error
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise BenchmarkDataError(f"{path} cannot be read: {str(error)[:200]}") from error


def unlike(items: Iterable[Item], where: str) -> tuple[Item, ...]:
    """The items, none of which has the id of another one.

    Raises:
        BenchmarkDataError: Two have; their results would overwrite each other.
    """
    kept = tuple(items)
    often = [name for name, count in Counter(item.id for item in kept).items() if count > 1]
    if often:
        shown = ", ".join(often[:3])
        raise BenchmarkDataError(
            f"{where}: {len(often)} ids are there more than once ({shown}); "
            "give --data one edition or one file"
        )
    return kept


def find_files(data: Path, *patterns: str) -> list[Path]:
    """The data file itself, or the files of a folder that fit the first pattern with any.

    Raises:
        BenchmarkDataError: There is none.
    """
    if data.is_file():
        return [data]
    for pattern in patterns:
        found = sorted(data.rglob(pattern))
        if found:
            return found
    raise BenchmarkDataError(f"no {' or '.join(patterns)} in {data}; give the benchmark's own data")


def present(row: Row, name: str) -> bool:
    """Whether a field is there and not null, NaN or empty text."""
    value = row.get(name)
    missing = value is None or value == "" or (isinstance(value, float) and math.isnan(value))
    return not missing


def text(row: Row, *names: str) -> str:
    """The first of these fields that is present, as text; empty when none is."""
    return next((str(row[name]) for name in names if present(row, name)), "")


def require(row: Row, *names: str, where: str) -> str:
    """Like ``text``, but one of them must be there.

    Raises:
        BenchmarkDataError: None is.
    """
    found = text(row, *names)
    if not found:
        raise BenchmarkDataError(f"{where}: a record without {' or '.join(names)}")
    return found


def identifier(row: Row, *names: str, where: str) -> str:
    """Like ``require``, for what names files and folders.

    Raises:
        BenchmarkDataError: There is none, or it cannot be a file name.
    """
    found = require(row, *names, where=where)
    if Path(found).name != found:
        raise BenchmarkDataError(f"{where}: {found!r} cannot name a file")
    return found


def absent(row: Row, *names: str) -> tuple[str, ...]:
    """Which of these fields the record does not have at all."""
    return tuple(name for name in names if name not in row)


def picture_path(root: Path, name: str) -> Path:
    """A picture named in a record.

    Raises:
        BenchmarkDataError: The file is missing or lies outside the data's folder.
    """
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise BenchmarkDataError(f"{name} lies outside {root}")
    if not path.is_file():
        raise BenchmarkDataError(f"no picture {path}")
    return path
