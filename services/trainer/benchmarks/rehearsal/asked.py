"""A question to a judge, its pictures read as Sketchbook scenes.

Not here: answering it (``marks``, ``documents``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.trainer.benchmarks.rehearsal.looking import Seen, look
from shared.llm.engine import ChatMessage, ImagePart, TextPart

MARK = re.compile(r"\[picture \d+\]")
"""What stands for a picture in a text."""
_ANSWER = "The answer:"
Reply = dict[str, object]
"""An answer, to be written as JSON."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: the system's words, then texts and pictures in their order."""

    system: str
    parts: tuple[str | Seen, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts."""
        return tuple(part for part in self.parts if isinstance(part, str))

    @property
    def pictures(self) -> tuple[Seen, ...]:
        """All pictures."""
        return tuple(part for part in self.parts if not isinstance(part, str))

    def after(self, start: str) -> str:
        """The rest of the text that starts so; empty when there is none."""
        return next((t.removeprefix(start).strip() for t in self.texts if t.startswith(start)), "")

    def answer(self) -> Asked:
        """What comes after the request."""
        at = self.parts.index(_ANSWER) + 1 if _ANSWER in self.parts else 0
        return Asked(self.system, self.parts[at:])


def asked_of(messages: Sequence[ChatMessage]) -> Asked:
    """The question that a conversation puts."""
    parts = [part for m in messages if m.role == "user" for part in m.parts]
    system = "".join(
        p.text for m in messages if m.role == "system" for p in m.parts if isinstance(p, TextPart)
    )
    seen = (look(part.png) if isinstance(part, ImagePart) else part.text for part in parts)
    return Asked(system, tuple(seen))
