"""The critic's judgement of one attempt. ``POST /v1/verdicts`` takes a ``VerdictTask``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from shared.contracts.images import ImageRef
from shared.contracts.wire import Wire


class VerdictTask(Wire):
    """What the critic sees: before and after, the plan's prompt and the one really used."""

    trajectory_id: str
    before: ImageRef | None
    """None at a first step without a source: the critic is shown a white canvas."""
    after: ImageRef
    plan_prompt: str
    used_prompt: str
    early: bool = True
    """Stop reading once the verdict is known to be success."""
    seed: int = 0


class Verdict(Wire):
    """The critic's answer; on success ``refine_prompt`` repeats the used prompt."""

    type: Literal["verdict"] = "verdict"
    success: bool
    refine_prompt: str
    reasoning: str = ""
    early: bool = False
    """The reply was cut as soon as it said success."""
    model: str = ""
    model_version: str = ""
    output_tokens: int = 0


class VerdictUnparsable(Wire):
    """The critic answered, but not in its format. Counts as a failed attempt."""

    type: Literal["unparsable"] = "unparsable"
    detail: str
    model: str = ""


VerdictReply = Annotated[Verdict | VerdictUnparsable, Field(discriminator="type")]
VERDICT_REPLY: TypeAdapter[Verdict | VerdictUnparsable] = TypeAdapter(VerdictReply)
