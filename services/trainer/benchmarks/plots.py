"""A plot of reports: means with their intervals, one colour per system.

Needs matplotlib (in the ``train`` extra).
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from services.trainer.benchmarks.folder import write_atomically
from services.trainer.benchmarks.records import Line, Report

_HEIGHT_IN = 0.35
_WIDTH_IN = 7.0


class PlotError(RuntimeError):
    """The plot cannot be made; the message says why."""


def plot(reports: Sequence[Report], target: Path) -> None:
    """Draw every line that has a mean, in one row of panels by unit.

    Raises:
        PlotError: matplotlib is missing, or no line has a mean.
        ResultsFolderError: The target cannot be written.
    """
    units = list(dict.fromkeys(line.unit for line in _drawable(reports)))
    if not units:
        raise PlotError("no score has a mean, so there is nothing to draw")
    pyplot = _pyplot()
    rows = max(len(_names(reports, unit)) for unit in units)
    size = (_WIDTH_IN * len(units), 1.5 + _HEIGHT_IN * rows * max(1, len(reports)))
    figure, axes = pyplot.subplots(1, len(units), figsize=size, squeeze=False)
    for axis, unit in zip(axes[0], units, strict=True):
        _panel(axis, reports, unit)
    figure.suptitle(reports[0].benchmark)
    figure.tight_layout()
    picture = io.BytesIO()
    figure.savefig(picture, dpi=120, format="png")
    pyplot.close(figure)
    write_atomically(target, picture.getvalue())


def _pyplot() -> Any:  # noqa: ANN401 - an optional package without types
    try:
        matplotlib = importlib.import_module("matplotlib")
    except ImportError as error:
        raise PlotError("plots need matplotlib: install the extra `train`") from error
    matplotlib.use("Agg")
    return importlib.import_module("matplotlib.pyplot")


def _drawable(reports: Sequence[Report]) -> list[Line]:
    return [line for report in reports for line in report.lines if line.mean is not None]


def _names(reports: Sequence[Report], unit: str) -> list[str]:
    """What is drawn of a unit, in the order of the reports."""
    drawn = {line.name for line in _drawable(reports)}
    lines = [line for report in reports for line in report.lines if line.unit == unit]
    return [name for name in dict.fromkeys(line.name for line in lines) if name in drawn]


def distance(line: Line, end: Literal["low", "high"]) -> float:
    """How far an end of the interval is from the mean; 0 without an interval."""
    value = getattr(line, end)
    return 0.0 if value is None or line.mean is None else abs(value - line.mean)


def _panel(axis: Any, reports: Sequence[Report], unit: str) -> None:  # noqa: ANN401 - untyped
    names = _names(reports, unit)
    for index, report in enumerate(reports):
        shift = (index - (len(reports) - 1) / 2) * 0.8 / len(reports)
        lines = [line for line in report.lines if line.unit == unit and line.mean is not None]
        places = [names.index(line.name) + shift for line in lines]
        means = [line.mean or 0.0 for line in lines]
        reach = [[distance(line, end) for line in lines] for end in ("low", "high")]
        axis.errorbar(means, places, xerr=reach, fmt="o", capsize=3, label=report.system)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.set_xlabel(unit)
    axis.grid(axis="x", alpha=0.3)
    axis.legend()
