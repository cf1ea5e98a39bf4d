"""Prompt packs: the words a checkpoint was trained on, as data.

A pack is a TOML file. Not here: rendering (``planner``, ``critic``) and the import of prompts
from Python files (``importer``).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_PACKS = Path(__file__).parent / "packs"
_WORD = re.compile(r"[^\W\d_][^\W\d_']*")
_MAX_SPELLED = 6
_SLOT = re.compile(r"\{(\w+)\}")


class PackError(ValueError):
    """A pack is missing or not valid; the message says which file and what is wrong."""


class _PackPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannerPrompts(_PackPart):
    """What the planner is told. ``user`` knows ``{prompt}`` and ``{steps_note}``."""

    narrative_system: str
    """For requests of text alone."""
    guidance_system: str
    """For requests with images."""
    user: str = "{prompt}{steps_note}"
    steps_note: str = "\nUse exactly {steps} steps."
    """Added when the caller fixes the number of steps; knows ``{steps}``."""
    max_tokens: int = Field(default=4096, ge=1)
    temperature: float = Field(default=0.0, ge=0)


class CriticPrompts(_PackPart):
    """What the critic is told.

    ``user`` knows ``{before}`` and ``{after}`` (the two images), ``{plan_prompt}`` and
    ``{used_prompt}``.
    """

    system: str
    user: str
    max_tokens: int = Field(default=4096, ge=1)
    temperature: float = Field(default=0.0, ge=0)


class AnswerFormat(_PackPart):
    """The tags round an answer and the key of the plan in it."""

    open: str = "<answer>"
    close: str = "</answer>"
    plan_key: str = "execution_plan"


class Scope(_PackPart):
    """What a small model can be asked: ``words`` is a file beside the pack, a word a line."""

    words: str
    example: str = ""
    """A request that is inside the scope, shown to callers whose request is not."""


class PromptPack(_PackPart):
    """All that is said to a pair of agents."""

    name: str
    planner: PlannerPrompts
    critic: CriticPrompts
    answer: AnswerFormat = AnswerFormat()
    scope: Scope | None = None
    known_words: frozenset[str] = frozenset()
    """The words of the scope file; empty: anything may be asked."""

    def unknown_words(self, text: str) -> tuple[str, ...]:
        """The words of a request that are outside the pack's scope, in order, each once.

        Numbers and single letters are always known, and so is a short word in capitals: it may
        be something to write.
        """
        if not self.known_words:
            return ()
        words = _WORD.findall(text.replace("<image>", " "))
        return tuple(dict.fromkeys(word for word in words if not self._knows(word)))

    def _knows(self, word: str) -> bool:
        plain = word.lower().removesuffix("'s")
        spelled = word.isupper() and len(word) <= _MAX_SPELLED
        return len(plain) == 1 or spelled or word.lower() in self.known_words or (
            plain in self.known_words
        )  # fmt: skip


def load_pack(name_or_path: str | Path) -> PromptPack:
    """A pack that comes with the project, by name, or any TOML file.

    Raises:
        PackError: There is no such pack, or it is not valid.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = _PACKS / f"{name_or_path}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        pack = PromptPack.model_validate(data)
        if pack.scope is None:
            return pack
        words = frozenset((path.parent / pack.scope.words).read_text(encoding="utf-8").split())
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise PackError(f"prompt pack {path.name}: {error}") from error
    return pack.model_copy(update={"known_words": words})


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its known slots filled; other braces and the values stay untouched."""
    return _SLOT.sub(lambda slot: values.get(slot[1], slot[0]), template)
