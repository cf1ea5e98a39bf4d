"""Plans made of documents in CoMM's layout: a title and steps of texts with pictures.

A document gives a plan from its title, and one that goes on after half of its steps. Not here:
the layout itself (``benchmarks.comm_documents``).

Source: InterleaveThinker, open interleaved data in the planner's set.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.trainer.benchmarks.comm_documents import Document, read_document
from services.trainer.benchmarks.loading import find_files, picture_path, read_rows
from services.trainer.benchmarks.records import IMAGE_MARK, BenchmarkDataError
from services.trainer.data.folder import DataFolder
from services.trainer.data.planner_rows import PlannerRow
from shared.contracts.plans import PlanStep

_MIN_STEPS = 2
_CATEGORY = "comm"


@dataclass(slots=True)
class Imported:
    """Rows from documents, and how many documents or halves could not be used."""

    rows: list[PlannerRow]
    left_out: int = 0


def import_comm(data: Path, folder: DataFolder) -> Imported:
    """Read documents and copy the pictures that are given to the planner.

    Raises:
        BenchmarkDataError: There is no file, or a record is not in CoMM's layout.
    """
    root = data if data.is_dir() else data.parent
    found = Imported([])
    for row in (row for path in find_files(data, "*.jsonl", "*.json") for row in read_rows(path)):
        document = read_document(row)
        steps = document_steps(document)
        if len(steps) < _MIN_STEPS:
            found.left_out += 1
            continue
        found.rows.append(_from_title(document, steps))
        try:
            found.rows.append(_from_half(document, steps, root, folder))
        except BenchmarkDataError:
            found.left_out += 1
    return found


def document_steps(document: Document) -> tuple[PlanStep, ...]:
    """The steps that have both a text and a picture, numbered anew."""
    texts = [
        text for text, pictures in zip(document.texts, document.pictures, strict=True)
        if text and pictures
    ]  # fmt: skip
    return tuple(
        PlanStep(step_number=n, step_name=_name(text), instruction=text, prompt=text)
        for n, text in enumerate(texts, start=1)
    )


def _name(text: str, words: int = 5) -> str:
    return " ".join(text.split()[:words]).rstrip(".,;:")


def _from_title(document: Document, steps: tuple[PlanStep, ...]) -> PlannerRow:
    return PlannerRow(
        id=f"comm-{document.id}",
        prompt_id=f"comm-{document.id}",
        category=_CATEGORY,
        source="comm",
        text=f"Show step by step, with texts and {len(steps)} pictures: {document.title}",
        images=(),
        steps=steps,
        thought=f"{len(steps)} steps.",
    )


def _from_half(
    document: Document, steps: tuple[PlanStep, ...], root: Path, folder: DataFolder
) -> PlannerRow:
    at = len(steps) // 2
    firsts = [
        (text, pictures[0])
        for text, pictures in zip(document.texts, document.pictures, strict=True)
        if text and pictures
    ][:at]
    begun = " ".join(f"{text} {IMAGE_MARK}" for text, _ in firsts)
    images = tuple(
        folder.keep(_file(document, n, name), picture_path(root, name).read_bytes())
        for n, (_, name) in enumerate(firsts, start=1)
    )
    return PlannerRow(
        id=f"comm-{document.id}-from{at}",
        prompt_id=f"comm-{document.id}",
        category=_CATEGORY,
        source="comm",
        text=f"{document.title} So far: {begun} Continue with {len(steps) - at} more steps.",
        images=images,
        steps=steps[at:],
        thought=f"{len(steps) - at} steps.",
    )


def _file(document: Document, number: int, name: str) -> str:
    return f"images/comm/{document.id}_{number}{Path(name).suffix.lower() or '.png'}"
