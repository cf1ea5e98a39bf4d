"""Tables and plot of an ablation: means with bootstrap intervals over requests, and differences.

A request answered with several seeds counts once, with the mean of its answers: seeds are no new
requests. Not here: measuring (``measuring``).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from services.trainer.ablation.measuring import CaseTrial, Trial
from services.trainer.ablation.rows import Row
from services.trainer.benchmarks.intervals import Estimate, estimate
from services.trainer.benchmarks.plots import plot
from services.trainer.benchmarks.records import Line, Report
from services.trainer.sketchbook.shares import Share

_ALL = "all"
_USUAL = "critic-sft"
"""The fine-tuned critic, which the others are compared with."""


@dataclass(frozen=True, slots=True)
class RowResult:
    """What a row reached: by group, against its reference, at what cost."""

    row: Row
    seeds: tuple[int, ...]
    goal: dict[str, Estimate]
    difference: Estimate | None
    """Goal reached more often than by the row named in ``against``, request by request."""
    calls: float
    """Generator calls a request."""
    minutes: float


@dataclass(frozen=True, slots=True)
class CriticResult:
    """A critic on the frozen cases."""

    critic: str
    verdicts: Share
    on_right: Share
    """Right pictures that it passed."""
    on_wrong: Share
    """Wrong pictures that it refused."""
    repairs: Share
    difference: Estimate | None
    """Repaired more often than by the fine-tuned critic, case by case."""


def row_results(rows: Sequence[Row], trials: Iterable[Trial]) -> list[RowResult]:
    """The rows that were measured, in the table's order; the newest weights of each count."""
    by_row: dict[str, dict[str, list[Trial]]] = defaultdict(lambda: defaultdict(list))
    for trial in trials:
        by_row[trial.row][trial.weights].append(trial)
    newest = {name: list(found.values())[-1] for name, found in by_row.items()}
    return [_result(row, newest) for row in rows if row.name in newest]


def _result(row: Row, newest: dict[str, list[Trial]]) -> RowResult:
    trials = newest[row.name]
    means = _means(trials)
    groups: dict[str, list[float]] = defaultdict(list)
    for trial in {trial.request: trial for trial in trials}.values():
        groups[_ALL].append(means[trial.request])
        groups[trial.group].append(means[trial.request])
    goal = {name: found for name, values in groups.items() if (found := estimate(values))}
    other = _means(newest.get(row.against, []))
    shared = [means[request] - other[request] for request in means if request in other]
    return RowResult(
        row=row, seeds=tuple(sorted({trial.seed for trial in trials})), goal=goal,
        difference=estimate(shared), calls=fmean(trial.calls for trial in trials),
        minutes=sum(trial.seconds for trial in trials) / 60,
    )  # fmt: skip


def _means(trials: Sequence[Trial]) -> dict[str, float]:
    """How often each request was fulfilled, over its seeds."""
    found: dict[str, list[float]] = defaultdict(list)
    for trial in trials:
        found[trial.request].append(float(trial.goal))
    return {request: fmean(values) for request, values in found.items()}


def critic_results(trials: Iterable[CaseTrial]) -> list[CriticResult]:
    """Every critic that was measured, its newest weights."""
    found: dict[str, dict[str, list[CaseTrial]]] = defaultdict(lambda: defaultdict(list))
    for trial in trials:
        found[trial.critic][trial.weights].append(trial)
    newest = {name: list(each.values())[-1] for name, each in found.items()}
    usual = _repaired(newest.get(_USUAL, []))
    return [_critic(name, each, usual if name != _USUAL else {}) for name, each in newest.items()]


def _repaired(trials: Sequence[CaseTrial]) -> dict[int, float]:
    return {t.case: float(t.repaired) for t in trials if t.repaired is not None}


def _critic(name: str, trials: Sequence[CaseTrial], usual: dict[int, float]) -> CriticResult:
    own = _repaired(trials)
    differences = [own[case] - usual[case] for case in own if case in usual]
    right = [trial.verdict == trial.truth for trial in trials]
    return CriticResult(
        name, Share.of(right),
        Share.of([trial.verdict is True for trial in trials if trial.truth]),
        Share.of([trial.verdict is False for trial in trials if not trial.truth]),
        Share.of([trial.repaired for trial in trials if trial.repaired is not None]),
        estimate(differences),
    )  # fmt: skip


def markdown(rows: Sequence[RowResult], critics: Sequence[CriticResult]) -> str:
    """Both tables."""
    groups = [name for name in (rows[0].goal if rows else {}) if name != _ALL]
    lines = [
        f"| row | n | goal reached | {' | '.join(groups)} | against its reference | calls | min |",
        "|---" * (len(groups) + 6) + "|",
    ]
    for each in rows:
        cells = [_interval(each.goal.get(name)) for name in (_ALL, *groups)]
        difference = f"{_signed(each.difference)} ({each.row.against})" if each.difference else ""
        n = f"{each.goal[_ALL].n} x {len(each.seeds)}"
        told = [each.row.label, n, *cells, difference, f"{each.calls:.1f}", f"{each.minutes:.1f}"]
        lines.append(f"| {' | '.join(told)} |")
    lines += [
        "",
        "| critic | verdict right | right passed | wrong refused | failure repaired"
        " | repaired, against SFT |",
        "|---|---|---|---|---|---|",
    ]
    for critic in critics:
        shares = (critic.verdicts, critic.on_right, critic.on_wrong, critic.repairs)
        against = _signed(critic.difference) if critic.difference else ""
        lines.append(f"| {critic.critic} | {' | '.join(map(_share, shares))} | {against} |")
    return "\n".join(lines) + "\n"


def document(rows: Sequence[RowResult], critics: Sequence[CriticResult]) -> str:
    """The same for programs."""
    found = {"rows": [asdict(each) for each in rows], "critics": [asdict(c) for c in critics]}
    return json.dumps(found, indent=1) + "\n"


def draw(rows: Sequence[RowResult], target: Path) -> None:
    """A plot of all rows: all requests, and the implicit ones.

    Raises:
        PlotError: matplotlib is missing.
    """
    reports = [
        Report(
            benchmark="Sketchbench ablation", system=label, counts={},
            lines=tuple(_line(each, group) for each in rows if group in each.goal),
        )
        for group, label in ((_ALL, "all requests"), ("implicit", "implicit requests"))
    ]  # fmt: skip
    plot(reports, target)


def _line(each: RowResult, group: str) -> Line:
    found = each.goal[group]
    return Line(
        name=each.row.label, unit="goal reached, %", n=found.n,
        mean=100 * found.mean, low=100 * found.low, high=100 * found.high,
    )  # fmt: skip


def _interval(found: Estimate | None) -> str:
    if found is None:
        return ""
    return f"{100 * found.mean:.1f} ({100 * found.low:.1f} to {100 * found.high:.1f})"


def _signed(found: Estimate) -> str:
    return f"{100 * found.mean:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"


def _share(found: Share) -> str:
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f}), n {found.n}"
