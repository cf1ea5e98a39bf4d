"""Putting mixed text and pictures before the judge.

Not here: what the judge is asked about them (``comm``, ``opening``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from services.trainer.benchmarks.pictures import for_judge
from services.trainer.benchmarks.records import IMAGE_MARK, Item, Produced
from shared.llm.engine import ImagePart, Part, TextPart


def asked_parts(item: Item) -> Iterator[Part]:
    """The request, each picture at its mark."""
    texts = item.prompt.split(IMAGE_MARK)
    for index, text in enumerate(texts):
        if text.strip():
            yield TextPart(text.strip())
        if index < len(item.images):
            yield ImagePart(for_judge(item.images[index]))


def output_parts(
    produced: Produced, pictures: Sequence[Path], *, with_pictures: bool = True
) -> Iterator[Part]:
    """The answer in reading order; a picture left out is named by its number from 1."""
    by_name = {path.name: path for path in pictures}
    shown = 0
    for part in produced.parts:
        if part.text:
            yield TextPart(part.text)
        elif part.file in by_name:
            shown += 1
            yield TextPart(f"[picture {shown}]")
            if with_pictures:
                yield ImagePart(for_judge(by_name[part.file]))


def joined(asked: Iterator[Part], answer: Iterator[Part]) -> tuple[Part, ...]:
    """Request and answer, told apart."""
    return (TextPart("The request:"), *asked, TextPart("The answer:"), *answer)
