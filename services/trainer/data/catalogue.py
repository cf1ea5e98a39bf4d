"""Prompt expansion: categories x templates x vocabularies, seeded and without doubles.

The words are data (``catalogue.toml``, or a file of the user's own). Not here: Sketchbook's
requests (``world``).
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from random import Random

from pydantic import Field, ValidationError

from services.trainer.benchmarks.records import BenchmarkDataError
from services.trainer.data.records import PromptRecord
from shared.contracts.wire import Wire

CATALOGUE = Path(__file__).with_name("catalogue.toml")
_SLOT = re.compile(r"\{(\w+)\}")


class Category(Wire):
    """Templates with slots, and for each sub-category what stands in ``{subject}``."""

    templates: tuple[str, ...]
    subjects: dict[str, tuple[str, ...]]
    words: dict[str, tuple[str, ...]] = Field(default_factory=dict[str, tuple[str, ...]])
    """What stands in the other slots; beside those of the whole catalogue."""


class Catalogue(Wire):
    """All categories, and the vocabularies that they share."""

    words: dict[str, tuple[str, ...]]
    categories: dict[str, Category]


def load_catalogue(path: Path = CATALOGUE) -> Catalogue:
    """A catalogue from its file.

    Raises:
        BenchmarkDataError: The file cannot be read, or a template has a slot without words.
    """
    try:
        catalogue = Catalogue.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise BenchmarkDataError(f"{path}: {error}") from error
    for name, category in catalogue.categories.items():
        known = {"subject", *catalogue.words, *category.words}
        for template in category.templates:
            if lacking := set(_SLOT.findall(template)) - known:
                raise BenchmarkDataError(f"{path}: {name} has no words for {sorted(lacking)}")
    return catalogue


def expand(catalogue: Catalogue) -> Iterator[PromptRecord]:
    """Every prompt that the catalogue can make, each wording once."""
    seen: set[str] = set()
    for name, category in catalogue.categories.items():
        words = {**catalogue.words, **category.words}
        for subcategory, subjects in category.subjects.items():
            for text in _texts(category.templates, {**words, "subject": subjects}):
                plain = normal(text)
                if plain not in seen:
                    seen.add(plain)
                    yield PromptRecord(
                        id=prompt_id(text), category=name, subcategory=subcategory, text=text
                    )


def sample_prompts(catalogue: Catalogue, count: int, *, seed: int) -> list[PromptRecord]:
    """So many prompts, evenly over the sub-categories as far as each can give them."""
    rng = Random(f"prompts-{seed}")
    pools: dict[tuple[str, str], list[PromptRecord]] = {}
    for prompt in expand(catalogue):
        pools.setdefault((prompt.category, prompt.subcategory), []).append(prompt)
    for pool in pools.values():
        rng.shuffle(pool)
    chosen: list[PromptRecord] = []
    while len(chosen) < count and pools:
        for key in list(pools):
            chosen.append(pools[key].pop())
            if not pools[key]:
                del pools[key]
    return chosen[:count]


def normal(text: str) -> str:
    """A text as it is compared: words alone, in small letters."""
    return " ".join(re.findall(r"[\w<>]+", text.lower()))


def prompt_id(text: str) -> str:
    """A name made of the text, the same everywhere."""
    return "p_" + hashlib.sha256(normal(text).encode()).hexdigest()[:16]


def _texts(templates: tuple[str, ...], words: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for template in templates:
        slots = list(dict.fromkeys(_SLOT.findall(template)))
        for values in product(*(words[slot] for slot in slots)):
            filled = dict(zip(slots, values, strict=True))
            yield _SLOT.sub(lambda slot, by=filled: by[slot[1]], template)
