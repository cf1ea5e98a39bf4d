"""What the critic answers: reading a verdict, whole or as early as it can be known.

Not here: what it is told (``rendering``, offered here as well).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.prompts.ladder import UnparsableReplyError, after_thought, read_answer, thought_of
from shared.prompts.lenient import Value, whole_characters
from shared.prompts.pack import AnswerFormat
from shared.prompts.rendering import render_verdict_messages

__all__ = [
    "UnparsableVerdictError",
    "VerdictDraft",
    "VerdictStream",
    "parse_verdict",
    "render_verdict_messages",
]

_EARLY = re.compile(r"""["']?previous_step_success["']?\s*:\s*["']?(true|false)\b""", re.IGNORECASE)
_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}


class UnparsableVerdictError(UnparsableReplyError):
    """No verdict can be read from the critic's reply."""


@dataclass(frozen=True, slots=True)
class VerdictDraft:
    """A verdict as the critic wrote it; ``refine_prompt`` may be empty on success only."""

    previous_step_success: bool
    refine_prompt: str
    reasoning: str = ""


def parse_verdict(reply: str, answer: AnswerFormat | None = None) -> VerdictDraft:
    """The verdict of a reply, by the first reading that gives one.

    Raises:
        UnparsableVerdictError: No reading gives a verdict, or a failure without a new prompt.
    """
    problem = "the reply holds no verdict"
    for value in read_answer(reply, answer or AnswerFormat()):
        if not isinstance(value, dict) or "previous_step_success" not in value:
            continue
        try:
            return _draft(value, thought_of(reply))
        except UnparsableVerdictError as error:
            problem = str(error)
    raise UnparsableVerdictError(problem)


def _draft(fields: dict[str, Value], thought: str) -> VerdictDraft:
    success = _boolean(fields["previous_step_success"])
    prompt = fields.get("refine_prompt")
    if not isinstance(prompt, str | None):
        raise UnparsableVerdictError("refine_prompt must be text")
    refined = whole_characters(prompt or "").strip()
    if not success and not refined:
        raise UnparsableVerdictError("the picture is failed but no refine_prompt is given")
    reasoning = fields.get("reasoning")
    return VerdictDraft(success, refined, reasoning if isinstance(reasoning, str) else thought)


def _boolean(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    found = _BOOLEANS.get(str(value).strip().lower())
    if found is None:
        raise UnparsableVerdictError(
            f"previous_step_success must be true or false, not {str(value)[:20]!r}"
        )
    return found


class VerdictStream:
    """Feed it pieces of a reply; it says success or failure as soon as that can be read."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._text = ""
        self.verdict: bool | None = None

    @property
    def text(self) -> str:
        """All that was fed so far."""
        return self._text

    @property
    def thought(self) -> str:
        """The reasoning written so far."""
        return thought_of(self._text)

    def feed(self, chunk: str) -> bool | None:
        """The verdict, or None while it cannot be read yet."""
        self._text += chunk
        if self.verdict is None:
            behind = after_thought(self._text)
            found = _EARLY.search(behind) if behind is not None else None
            if found:
                self.verdict = found[1].lower() == "true"
        return self.verdict
