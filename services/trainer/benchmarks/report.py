"""A report as markdown, JSON and CSV; several systems side by side in one table.

Not here: plots (``plots``) and pages with pictures (``pages``).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from services.trainer.benchmarks.folder import ResultsFolderError, write_atomically
from services.trainer.benchmarks.records import ItemScore, Line, Report

_SCORES: TypeAdapter[ItemScore] = TypeAdapter(ItemScore)
_COLUMNS: tuple[str, ...] = (
    "benchmark",
    "system",
    "name",
    "unit",
    "n",
    "mean",
    "low",
    "high",
    "headline",
)


def save(report: Report, scores: Sequence[ItemScore], folder: Path) -> None:
    """Write ``report.md``, ``report.json``, ``report.csv`` and ``scores.jsonl``."""
    write_atomically(folder / "report.md", markdown([report]).encode())
    write_atomically(folder / "report.json", report.model_dump_json(indent=2).encode())
    write_atomically(folder / "report.csv", as_csv([report]).encode())
    lines = "".join(score.model_dump_json() + "\n" for score in scores)
    write_atomically(folder / "scores.jsonl", lines.encode())


def load(folder: Path) -> Report:
    """The report of a folder.

    Raises:
        ResultsFolderError: There is none.
    """
    try:
        return Report.model_validate_json((folder / "report.json").read_bytes())
    except (OSError, ValidationError) as error:
        raise ResultsFolderError(f"no report in {folder}; score it first") from error


def load_scores(folder: Path) -> tuple[ItemScore, ...]:
    """The scores of a folder's items; none where it was not scored."""
    path = folder / "scores.jsonl"
    if not path.exists():
        return ()
    return tuple(_SCORES.validate_json(line) for line in path.read_text("utf-8").splitlines())


def markdown(reports: Sequence[Report]) -> str:
    """One table: a row per line, a column per system; counts and deviations below."""
    if not reports:
        return ""
    blocks = [f"# {reports[0].benchmark}", "\n".join(_table(reports))]
    blocks.append("\n".join(_counts(reports)))
    noted = dict.fromkeys(note for report in reports for note in report.deviations)
    if noted:
        blocks.append("\n".join(["Deviations:", *(f"- {note}" for note in noted)]))
    return "\n\n".join(blocks) + "\n"


def _table(reports: Sequence[Report]) -> Iterator[str]:
    heads = [f"{report.system} (judge {report.judge})" if report.judge else report.system
             for report in reports]  # fmt: skip
    yield f"| score | unit | {' | '.join(heads)} |"
    yield "|---|---|" + "---|" * len(reports)
    found = [{line.name: line for line in report.lines} for report in reports]
    names = dict.fromkeys(line.name for report in reports for line in report.lines)
    for name in names:
        row = [lines.get(name) for lines in found]
        first = next(line for line in row if line is not None)
        shown = f"**{name}**" if first.headline else name
        yield f"| {shown} | {first.unit} | {' | '.join(map(cell, row))} |"


def cell(line: Line | None) -> str:
    """A mean with its interval and n; a dash where there is no mean."""
    if line is None or line.mean is None:
        return "-" if line is None or line.n == 0 else f"- (n {line.n})"
    if line.low is None or line.high is None:
        return f"{line.mean:.3g} (n {line.n})"
    return f"{line.mean:.3g} [{line.low:.3g}, {line.high:.3g}] (n {line.n})"


def _counts(reports: Sequence[Report]) -> Iterator[str]:
    yield f"| count | {' | '.join(report.system for report in reports)} |"
    yield "|---|" + "---|" * len(reports)
    for name in dict.fromkeys(name for report in reports for name in report.counts):
        row = " | ".join(str(report.counts.get(name, 0)) for report in reports)
        yield f"| {name} | {row} |"


def as_csv(reports: Sequence[Report]) -> str:
    """Every line of every report as a row."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS)
    writer.writeheader()
    for report in reports:
        for line in report.lines:
            writer.writerow(
                {"benchmark": report.benchmark, "system": report.system, **line.model_dump()}
            )
    return out.getvalue()
