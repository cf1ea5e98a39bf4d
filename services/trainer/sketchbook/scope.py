"""What the Sketchbook world knows words for, and so which requests it can serve at all.

The lexicon is gathered from every table and template of the world. It is plain data
(``LEXICON``), so that a model pack can carry it along. Not here: understanding a request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType

from services.trainer.sketchbook import knowledge, wording
from services.trainer.sketchbook.requests import (
    annotation,
    beginnings,
    changes,
    compositions,
    continuation,
    guidance,
    manipulation,
    narrative_words,
    texts,
)
from services.trainer.sketchbook.requests.texts import Wordings
from services.trainer.sketchbook.world import COLOURS, KINDS, SETTINGS, TIMES

FUNCTION_WORDS = frozenset(
    """
    a about after again all along also am an and another any are around as at away back be because
    becomes before begin begins being below beside between both bring but by can change come comes
    continue could describe did do does done down drawing draw draws each either end ends every
    everything explain far few finally find finish first for from full get gets give go goes going
    grow grows had happen happens has have he help her here him his how i illustrate image images
    in inside instructions into is it its just keep last later left let like line little look looks
    make makes many me middle more most move moves much my need new next no not nothing now of off
    on once one only onto or other our out over own paint part people picture pictures place please
    put rest right row same scene see sentence sequence series set she should show shows side sketch
    small big so some start starts step steps still stop story take tell text than that the their
    them then there these they thing things this those through time times to together too top toward
    towards turn two under until up us use very view want was way we were what when where which
    while who whole why will with without word words would write you your slowly quickly beautiful
    nice little short long final different whole together appears appear piece simple children kid
    child i'd i'm let's it's what's weather
    """.split()  # noqa: SIM905  (a list of words reads better as text)
)
_SPELLING = frozenset(("write", "spell", "word", "letter", "letters"))
_TOKEN = re.compile(r"[a-z']+|\d+", re.IGNORECASE)
_MAX_WORD = 6


def _tables() -> Iterator[str]:
    """Every string of the world's tables."""
    modules: tuple[ModuleType, ...] = (
        annotation, beginnings, changes, compositions, continuation, guidance, manipulation,
        narrative_words, texts,
    )  # fmt: skip
    for module in modules:
        for name, value in vars(module).items():
            if not name.startswith("__"):
                yield from _strings(value)
    for table in wording.ALL_TEMPLATES:
        yield from (t for by_split in table.values() for group in by_split.values() for t in group)
    for named in (wording.STAGE_NAMES, wording.SETTING_NAMES, wording.TIME_PHRASES):
        yield from _strings(named)
    for group in (KINDS, COLOURS, SETTINGS, TIMES, wording.ROW_NAMES, wording.COLUMN_NAMES):
        yield from group
    yield from (
        words for fact in knowledge.TIMES.values() for words in fact.train if " " not in words
    )
    yield from (wording.plural(kind) for kind in KINDS)
    yield from wording.NUMBER_WORDS


def _strings(value: object) -> Iterator[str]:
    """The strings in tables, however deep, and in templates."""
    match value:
        case str():
            yield value
        case Wordings(train, heldout, more):
            yield from (*train, *heldout, *more)
        case compositions.Composition(name):
            yield name
        case dict():
            for key, inner in value.items():
                yield from (*_strings(key), *_strings(inner))
        case tuple() | list():
            for inner in value:
                yield from _strings(inner)
        case _:
            return


def _words(text: str) -> list[str]:
    return [word.lower() for word in _TOKEN.findall(re.sub(r"\{\w+\}|<image>", " ", text))]


def _paraphrases() -> Iterator[str]:
    """The words of everything that is meant without being named."""
    for told in (*knowledge.ALL_FACTS, *compositions.COMPOSITIONS):
        yield from (*told.train, *told.heldout)


LEXICON = frozenset(word for text in _tables() for word in _words(text)) | FUNCTION_WORDS
"""Every word the world knows outright, in lower case."""
HINTS = frozenset(word for text in _paraphrases() for word in _words(text)) - LEXICON
"""Words that only make sense in a paraphrase: camels are known, but cannot be drawn."""
_PARAPHRASE = re.compile(
    r"\b(?:animal|bird|pet|toy|thing|place|plant|fruit|insect|building|figure|colour|hour|time|one"
    r"|singer|home|what|when|after|later|day|season|houses|at)\b"
)


def unknown_words(text: str) -> tuple[str, ...]:
    """The words of a request that the world has no notion of, in order, each once.

    Single letters and numbers are known, and so is a short word to be spelled ("write CAT").
    """
    words = _words(text)
    to_spell: set[str] = set()
    if _SPELLING & set(words):
        to_spell = {w.lower() for w in re.findall(rf"\b[A-Z]{{2,{_MAX_WORD}}}\b", text)}
    told = to_spell | (HINTS if _PARAPHRASE.search(text.lower()) else frozenset())
    unknown = (word for word in words if not _known(word) and word not in told)
    return tuple(dict.fromkeys(unknown))


def in_scope(text: str) -> bool:
    """Whether a request speaks only of things the world knows, and of at least one of them."""
    about = [word for word in _words(text) if word not in FUNCTION_WORDS]
    return not unknown_words(text) and (bool(about) or "<image>" in text)


def _known(word: str) -> bool:
    plain = word.removesuffix("'s")
    return plain in LEXICON or len(plain) == 1 or word.isdigit()


OUT_OF_WORLD = (
    "Tell the story of a dragon who guards a castle",
    "How do I bake a chocolate cake?",
    "Draw the Eiffel Tower step by step",
    "Show me how to change a bicycle tyre",
    "Write a poem about my grandmother",
    "What is the capital of France?",
    "Explain quantum mechanics in four pictures",
    "Draw a portrait of Albert Einstein",
    "Tell the story of a robot on Mars",
    "How do I assemble a bookshelf?",
    "Show the life cycle of a butterfly",
    "Make a comic about two astronauts",
    "Illustrate the French revolution",
    "How do I tie a necktie, step by step?",
    "Draw a dinosaur eating a pizza",
    "Show a football match between two teams",
    "Design a logo for my company",
    "How is steel made?",
    "Show the construction of a skyscraper",
    "Tell the story of Little Red Riding Hood",
    "Plan my trip to Japan",
    "Draw a map of Europe",
    "Show how to fold a paper crane",
    "Tell me a joke",
    "Show a surgeon performing an operation",
    "Generate a photo of a celebrity",
    "How do I play the guitar?",
    "Draw an elephant and a giraffe at the zoo",
    "Show the phases of a volcano eruption",
    "Make an infographic about the economy",
    "Tell the story of a knight and a princess",
    "How do I repair my laptop?",
    "Draw a pirate ship attacking a fortress",
    "Show a train crossing a bridge",
    "Describe the history of Rome",
    "Draw a wedding with a bride and a groom",
    "Write Python code that sorts a list",
    "Show the robot arm picking up the screwdriver",
    "How do I make sushi?",
    "Draw a unicorn under a rainbow",
    "Show me how the heart pumps blood",
    "Tell the story of a haunted mansion",
)
"""Requests that the world cannot serve, for tests of the clear answer they must get."""
