from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from services.trainer.benchmarks.records import BenchmarkDataError
from services.trainer.data.catalogue import (
    Catalogue,
    Category,
    expand,
    load_catalogue,
    sample_prompts,
)

SMALL = Catalogue(
    words={"count": ("two", "three")},
    categories={
        "a": Category(
            templates=("Draw {subject} in {count} pictures.", "draw {subject} in TWO pictures"),
            subjects={"x": ("a cat", "a dog"), "y": ("a sun",)},
        )
    },
)


def test_every_wording_comes_once_whatever_its_capitals_and_marks() -> None:
    texts = [prompt.text for prompt in expand(SMALL)]

    assert texts == [
        "Draw a cat in two pictures.",
        "Draw a cat in three pictures.",
        "Draw a dog in two pictures.",
        "Draw a dog in three pictures.",
        "Draw a sun in two pictures.",
        "Draw a sun in three pictures.",
    ]


def test_the_same_seed_samples_the_same_and_more_begins_with_fewer() -> None:
    four = sample_prompts(SMALL, 4, seed=1)

    assert sample_prompts(SMALL, 2, seed=1) == four[:2]
    assert Counter(prompt.subcategory for prompt in four) == {"x": 2, "y": 2}
    assert len(sample_prompts(SMALL, 100, seed=1)) == 6


def test_the_catalogue_has_the_published_breadth() -> None:
    catalogue = load_catalogue()

    assert len(catalogue.categories) == 8
    assert sum(len(c.subjects) for c in catalogue.categories.values()) >= 75
    assert sum(1 for _ in expand(catalogue)) > 30_000


def test_a_slot_without_words_is_told(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.toml"
    file.write_text(
        '[words]\n[categories.a]\ntemplates = ["{subject} {mood}"]\n'
        '[categories.a.subjects]\nx = ["y"]\n'
    )

    with pytest.raises(BenchmarkDataError, match="mood"):
        load_catalogue(file)
