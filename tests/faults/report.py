"""The table, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tests.faults.trial import Outcome

_COLUMNS = ("promise", "faults", "trajectories", "lost", "doubled", "stuck", "worst recovery s")


def added(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Several runs of the same scenario as one row."""
    rows: dict[str, Outcome] = {}
    for each in outcomes:
        row = rows.get(each.promise)
        rows[each.promise] = each if row is None else _sum(row, each)
    return list(rows.values())


def kept(outcomes: Sequence[Outcome]) -> bool:
    """Whether every promise was attacked and kept."""
    return bool(outcomes) and all(
        row.faults and row.trajectories and not (row.lost or row.doubled or row.stuck)
        for row in outcomes
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """As Markdown, which reads well in a terminal too."""
    cells = [list(_COLUMNS), *([str(value) for value in asdict(row).values()] for row in outcomes)]
    total = ["together", *(str(sum(column)) for column in _numbers(outcomes)), ""]
    cells.append(total)
    widths = [max(len(row[n]) for row in cells) for n in range(len(_COLUMNS))]
    lines = [_line(row, widths) for row in cells]
    rule = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def write_json(outcomes: Sequence[Outcome], file: Path) -> None:
    """As a list of objects."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([asdict(row) for row in outcomes], indent=1) + "\n")


def _sum(one: Outcome, other: Outcome) -> Outcome:
    return replace(
        one,
        faults=one.faults + other.faults,
        trajectories=one.trajectories + other.trajectories,
        lost=one.lost + other.lost,
        doubled=one.doubled + other.doubled,
        stuck=one.stuck + other.stuck,
        worst_recovery_s=max(one.worst_recovery_s, other.worst_recovery_s),
    )


def _numbers(outcomes: Sequence[Outcome]) -> list[list[int]]:
    rows = [(r.faults, r.trajectories, r.lost, r.doubled, r.stuck) for r in outcomes]
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[0]] * 5


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0])
    rest = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
    return "| " + " | ".join([first, *rest]) + " |"
