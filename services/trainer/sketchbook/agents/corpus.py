"""The text from which the tokenizer learns its words.

Not here: the tokenizer itself (``tokenizer``).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

from transformers import PreTrainedTokenizerFast

from services.trainer.sketchbook.agents import lessons
from services.trainer.sketchbook.agents.tokenizer import train_tokenizer
from services.trainer.sketchbook.language import Split
from shared.llm.engine import TextPart

_SEED = 7
_ROUNDS = 1500
EVERYDAY_WORDS = """
the of and a to in is you that it he was for on are as with his they I at be this have from or
one had by word but not what all were we when your can said there use an each which she do how
their if will up other about out many then them these so some her would make like him into time
has look two more write go see number no way could people my than first water been call who oil
its now find long down day did get come made may part please tell show picture pictures story
stories draw step steps four three five six image images series sequence scene illustrate
illustrated comic tale teach explain guide guided beginner move moves block blocks tower stack
pile sort arrange robot describe caption captions sentence sentences label annotate each every
continue continues going next after before later day week month year winter spring summer autumn
morning noon evening night midnight dawn dusk sunrise sunset weather rain snow melts melt sun sets
rises grows grow growing bloom blooms plant seed seedling animal animals gives milk lays eggs honey
barks meows flies swims fruit vehicle drives sails shape letter letters word spell spelling write
count counting numbers house village garden farm pond harbour port fishing trip journey adventure
birthday party build builds building finished half done begin start end final finally last happens
happen then first second third fourth fifth sixth another same different colour colours color
red orange yellow green blue purple pink white turn turns change changes becomes become leave
leaves away arrive arrives come comes home walk walks sky ground field beach sea desert town meadow
paper sheet snowy where when who why text only without beside under above below left right top
bottom row far middle put place add remove take paint bring let empty everything nothing should
missing wrong asked belongs there background exactly using use want need would like help me my
"""


def texts() -> Iterator[str]:
    """Lessons of every kind, in both splits' wordings, and everyday words of requests."""
    rng = Random(_SEED)
    makers = (
        lessons.caption_lesson,
        lessons.sentence_lesson,
        lessons.change_lesson,
        lessons.request_lesson,
    )
    for _ in range(_ROUNDS):
        for maker in makers:
            yield maker(rng).answer
        for split in Split:
            lesson = lessons.synthetic_verdict_lesson(rng, split)
            yield lesson.answer
            yield from (p.text for m in lesson.messages for p in m.parts if isinstance(p, TextPart))
    words = EVERYDAY_WORDS.split()
    for word in words:
        yield f" {word}" * 60
        yield f"{word.capitalize()}\n" * 60
    for role in ("system", "user", "assistant"):
        yield f"{role}\n" * 200


def tokenizer_for(runs: Path, start: Path | None = None) -> PreTrainedTokenizerFast:
    """The tokenizer all stages of a run share, made at its first use.

    ``start`` is a finished agent whose tokenizer it has to be.

    Raises:
        ValueError: The run's stages have another one.
    """
    folder = runs / "tokenizer"
    if not folder.exists():
        made = _loaded(start) if start is not None else train_tokenizer(texts())
        made.save_pretrained(folder)
    shared = _loaded(folder)
    if start is not None and shared.get_vocab() != _loaded(start).get_vocab():
        raise ValueError(f"{runs} has another tokenizer than {start}: take another folder of runs")
    return shared


def _loaded(folder: Path) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast.from_pretrained(folder)
