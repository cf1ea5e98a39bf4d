"""Pages that show the answers of two or more runs side by side, request by request.

Not here: tables (``report``). The pages are plain HTML with relative picture links; every text
in them comes from outside and is escaped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from urllib.parse import quote

from services.trainer.benchmarks.folder import ResultsFolder, write_atomically
from services.trainer.benchmarks.records import Item, ItemScore, Produced, ProducedPart

PER_PAGE = 25
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem;color:#222;background:#fafafa}
section{background:#fff;border:1px solid #ddd;border-radius:8px;padding:1rem;margin:1rem 0}
.runs{display:grid;grid-auto-flow:column;grid-auto-columns:1fr;gap:1rem}
.parts{display:flex;flex-wrap:wrap;gap:.5rem}figure{margin:0;width:160px}
img{width:100%;border:1px solid #ccc}figcaption{font-size:13px}
.score{color:#555;font-size:13px}.none{color:#a00}
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One column: a system's results, with their scores if they were made."""

    title: str
    folder: ResultsFolder
    scores: Mapping[str, ItemScore] = field(default_factory=dict[str, ItemScore])


def write_pages(items: Sequence[Item], runs: Sequence[Run], target: Path) -> tuple[Path, ...]:
    """Write ``page-1.html`` and on; items that no run answered are left out."""
    shown = [item for item in items if any(run.folder.load(item.id) for run in runs)]
    chunks = [shown[at : at + PER_PAGE] for at in range(0, len(shown), PER_PAGE)] or [[]]
    paths: list[Path] = []
    for number, chunk in enumerate(chunks, start=1):
        body = "\n".join(_section(item, runs, target) for item in chunk)
        paths.append(target / f"page-{number}.html")
        write_atomically(paths[-1], _page(body, number, len(chunks)).encode())
    return tuple(paths)


def _page(body: str, number: int, count: int) -> str:
    links = " ".join(f'<a href="page-{n}.html">{n}</a>' for n in range(1, count + 1))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Page {number}</title>'
        f"<style>{_STYLE}</style><nav>{links}</nav>{body}</html>"
    )


def _section(item: Item, runs: Sequence[Run], target: Path) -> str:
    given = "".join(_picture(path, target, "given") for path in item.images)
    columns = "".join(_column(item, run, target) for run in runs)
    return (
        f"<section><h2>{escape(item.id)} <small>{escape(item.group)}</small></h2>"
        f'<p>{escape(item.prompt)}</p><div class="parts">{given}</div>'
        f'<div class="runs">{columns}</div></section>'
    )


def _column(item: Item, run: Run, target: Path) -> str:
    produced = run.folder.load(item.id)
    head = f"<h3>{escape(run.title)}</h3>{_score(run.scores.get(item.id))}"
    if produced is None or not produced.delivered:
        why = "not run" if produced is None else (produced.problem or produced.status)
        return f'<div>{head}<p class="none">{escape(why)}</p></div>'
    return f'<div>{head}<div class="parts">{"".join(_parts(produced, run, target))}</div></div>'


def _parts(produced: Produced, run: Run, target: Path) -> Iterator[str]:
    texts: list[str] = []
    for part in produced.parts:
        if part.type == "text":
            texts.append(part.text or "")
            continue
        yield _part_picture(produced, part, run, target=target, caption=" ".join(texts))
        texts.clear()
    if texts:
        yield f"<p>{escape(' '.join(texts))}</p>"


def _part_picture(
    produced: Produced, part: ProducedPart, run: Run, *, target: Path, caption: str
) -> str:
    path = run.folder.picture(produced, part.file or "")
    if path is None:
        return f'<p class="none">picture {part.step} is missing</p>'
    return _picture(path, target, caption)


def _picture(path: Path, target: Path, caption: str) -> str:
    link = quote(os.path.relpath(path.resolve(), target.resolve()))
    return (
        f'<figure><img src="{escape(link)}" alt="" loading="lazy">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _score(score: ItemScore | None) -> str:
    if score is None:
        return ""
    values = ", ".join(f"{name} {value:.3g}" for name, value in score.values.items())
    failures = f"; judge: {', '.join(score.judge_failures)}" if score.judge_failures else ""
    return f'<p class="score">{escape(values + failures)}</p>'
