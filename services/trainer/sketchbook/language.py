"""The language of the Sketchbook world, in one import: say it, understand it, caption it."""

from __future__ import annotations

from services.trainer.sketchbook.captions import (
    caption_places,
    list_items,
    parse_caption,
    read_sentence,
    sentence,
    sentence_is_right,
)
from services.trainer.sketchbook.parsing import (
    Description,
    Edits,
    UnknownWordingError,
    outcomes_of,
    parse,
)
from services.trainer.sketchbook.phrasing import describe, exact_ref, phrase, phrase_both
from services.trainer.sketchbook.wording import Split, Style, item_phrase, thing_name

__all__ = [
    "Description",
    "Edits",
    "Split",
    "Style",
    "UnknownWordingError",
    "caption_places",
    "describe",
    "exact_ref",
    "item_phrase",
    "list_items",
    "outcomes_of",
    "parse",
    "parse_caption",
    "phrase",
    "phrase_both",
    "read_sentence",
    "sentence",
    "sentence_is_right",
    "thing_name",
]
