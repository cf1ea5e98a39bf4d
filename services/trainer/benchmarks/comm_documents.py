"""Requests made from documents in CoMM's layout.

A document has ``data_id``, ``title`` and ``step_info``: a list of steps, each a list of
``{type: text, content}`` and ``{type: image, image_path}``. Not here: judging (``comm``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.trainer.benchmarks.loading import (
    Row,
    find_files,
    identifier,
    picture_path,
    read_rows,
    text,
    unlike,
)
from services.trainer.benchmarks.records import IMAGE_MARK, BenchmarkDataError, Item, pictures_like

Task = Literal["task1", "task2", "task3", "task4"]
Roots = tuple[Path, ...]
"""Folders that pictures may lie in; the first that has one wins."""
TASKS: tuple[Task, ...] = ("task1", "task2", "task3", "task4")


@dataclass(frozen=True, slots=True)
class Document:
    """A document: each step's text with marks, and the names of its pictures."""

    id: str
    title: str
    texts: tuple[str, ...]
    pictures: tuple[tuple[str, ...], ...]

    def steps(self, first: int, last: int, *, words: bool, marks: bool) -> str:
        """Steps ``first`` to before ``last``, numbered from 1, with or without their marks."""
        written: list[str] = []
        for number in range(first, last):
            content = self.texts[number] if words else ""
            many = " ".join([IMAGE_MARK] * len(self.pictures[number])) if marks else ""
            written.append(" ".join(f"({number + 1}) {content} {many}".split()))
        return " ".join(written)

    def names(self, first: int, last: int) -> tuple[str, ...]:
        """The pictures of those steps."""
        return tuple(name for step in self.pictures[first:last] for name in step)


def read_document(row: Row) -> Document:
    """A document from its record.

    Raises:
        BenchmarkDataError: The record is not in CoMM's layout.
    """
    steps = row.get("step_info")
    if not isinstance(steps, list) or not all(isinstance(step, list) for step in steps):
        raise BenchmarkDataError("CoMM: a record without step_info")
    return Document(
        id=identifier(row, "data_id", "id", where="CoMM"),
        title=text(row, "title") or "this",
        texts=tuple(" ".join(_contents(step, "text", "content")) for step in steps),
        pictures=tuple(tuple(_contents(step, "image", "image_path")) for step in steps),
    )


def _contents(step: Sequence[object], kind: str, field: str) -> Iterator[str]:
    for piece in step:
        if isinstance(piece, dict) and piece.get("type") == kind and piece.get(field):
            yield " ".join(str(piece[field]).replace(IMAGE_MARK, " ").split())


def comm_items(
    data: Path, *, pictures: Path | None, tasks: Collection[Task]
) -> tuple[tuple[Item, ...], int]:
    """The requests, and how many were left out for want of a given picture.

    Pictures lie in the folder ``images`` beside the file (where the public script saves them) or
    in the copy's folder itself.
    """
    files = find_files(data, "test_data.pth", "*.jsonl", "*.json")
    folder = data if data.is_dir() else data.parent
    roots = (pictures,) if pictures else (files[0].parent / "images", folder)
    items: list[Item] = []
    left_out = 0
    for row in (row for path in files for row in read_rows(path)):
        document = read_document(row)
        for task in TASKS:
            if task not in tasks or not _applies(task, document):
                continue
            try:
                items.append(_MAKERS[task](document, roots))
            except BenchmarkDataError:
                left_out += 1
    return unlike(items, "CoMM"), left_out


def _applies(task: Task, document: Document) -> bool:
    count = len(document.texts)
    has_pictures = any(document.pictures)
    return has_pictures and count > (1 if task == "task3" else 0)


def _item(
    document: Document,
    task: Task,
    prompt: str,
    *,
    roots: Roots,
    images: tuple[Path, ...] = (),
    truth: tuple[str, ...] = (),
    first: int = 0,
) -> Item:
    """``ground_truth`` is a path for each picture of the document, None where it is not there."""
    steps = {"task2": len(document.texts), "task3": len(document.texts) - first}.get(task)
    return Item(
        id=f"{document.id}_{task}",
        prompt=prompt,
        group=task,
        images=images,
        steps=steps,
        pictures=pictures_like(len(truth)),
        fields={
            "ground_truth": tuple(_found(roots, name) for name in truth),
            "first_step": first + 1,
        },
    )


def _found(roots: Roots, name: str) -> Path | None:
    for root in roots:
        try:
            return picture_path(root, name)
        except BenchmarkDataError:
            continue
    return None


def _paths(roots: Roots, names: Sequence[str]) -> tuple[Path, ...]:
    found = {name: _found(roots, name) for name in names}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise BenchmarkDataError(f"no picture {missing[0]}")
    return tuple(path for name in names if (path := found[name]) is not None)


def _texts_wanted(document: Document, roots: Roots) -> Item:
    count = len(document.texts)
    shown = document.steps(0, count, words=False, marks=True)
    prompt = f"These pictures show {document.title}, step by step: {shown} Describe each step."
    images = _paths(roots, document.names(0, count))
    return _item(document, "task1", prompt, roots=roots, images=images)


def _pictures_wanted(document: Document, roots: Roots) -> Item:
    count = len(document.texts)
    told = document.steps(0, count, words=True, marks=False)
    prompt = (
        f"The steps of {document.title}: {told} Draw one picture for each of the {count} steps."
    )
    return _item(document, "task2", prompt, roots=roots, truth=document.names(0, count))


def _continuation_wanted(document: Document, roots: Roots) -> Item:
    count, half = len(document.texts), len(document.texts) // 2
    begun = document.steps(0, half, words=True, marks=True)
    rest = count - half
    prompt = (
        f"The first steps of {document.title}: {begun} Continue with the next {rest} steps, "
        "each with a text and a picture."
    )
    images = _paths(roots, document.names(0, half))
    truth = document.names(half, count)
    return _item(document, "task3", prompt, roots=roots, images=images, truth=truth, first=half)


def _document_wanted(document: Document, roots: Roots) -> Item:
    prompt = f"Explain step by step, with a text and a picture for each step: {document.title}"
    truth = document.names(0, len(document.texts))
    return _item(document, "task4", prompt, roots=roots, truth=truth)


_MAKERS: dict[Task, Callable[[Document, Roots], Item]] = {
    "task1": _texts_wanted,
    "task2": _pictures_wanted,
    "task3": _continuation_wanted,
    "task4": _document_wanted,
}
