"""Judges pictures: before and after in, a verdict out.

Not here: HTTP (``routes``), words and reading (``shared.prompts``), models (``shared.llm``).
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache

import structlog
from PIL import Image

from shared.contracts.verdicts import Verdict, VerdictTask, VerdictUnparsable
from shared.llm.engine import ChatEngine, ChatMessage
from shared.prompts.critic import (
    UnparsableVerdictError,
    VerdictStream,
    parse_verdict,
    render_verdict_messages,
)
from shared.prompts.pack import PromptPack
from shared.stores.images import ImageStore
from shared.telemetry.metrics import MODEL_CALLS
from shared.telemetry.tracing import span

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CriticOptions:
    """How the critic is asked."""

    reasks: int = 0
    """How often an unreadable verdict is asked for again."""
    reask_temperature: float = 0.7
    model_version: str = ""
    """Stated with every verdict."""


class CriticService:
    """The use-case of the critic service."""

    def __init__(
        self,
        engine: ChatEngine,
        pack: PromptPack,
        *,
        store: ImageStore,
        options: CriticOptions | None = None,
    ) -> None:
        self._engine = engine
        self._pack = pack
        self._store = store
        self._options = options or CriticOptions()

    async def judge(self, task: VerdictTask) -> Verdict | VerdictUnparsable:
        """The verdict on one picture; cancelling stops the model.

        Raises:
            InterleaveError: if the store or the model fails.
        """
        messages = await self._messages(task)
        reply: Verdict | VerdictUnparsable = VerdictUnparsable(detail="not asked")
        with span("invoke_agent", self._engine.model, trajectory_id=task.trajectory_id):
            for attempt in range(1 + self._options.reasks):
                reply = await self._asked(messages, task, attempt=attempt)
                if isinstance(reply, Verdict):
                    break
        outcome = "judged" if isinstance(reply, Verdict) else "unparsable"
        MODEL_CALLS.labels("critique", self._engine.model, outcome).inc()
        _log.info("picture_judged", outcome=outcome)
        return reply

    async def _messages(self, task: VerdictTask) -> list[ChatMessage]:
        after = await asyncio.to_thread(self._store.get, task.after)
        if task.before is None:
            before = white_canvas(task.after.width_px, task.after.height_px)
        else:
            before = await asyncio.to_thread(self._store.get, task.before)
        return render_verdict_messages(
            self._pack, task.plan_prompt, task.used_prompt, before=before, after=after
        )

    async def _asked(
        self, messages: Sequence[ChatMessage], task: VerdictTask, *, attempt: int
    ) -> Verdict | VerdictUnparsable:
        told = self._pack.critic
        stream = VerdictStream()
        tokens = 0
        pieces = self._engine.stream(
            messages,
            max_tokens=told.max_tokens,
            temperature=self._options.reask_temperature if attempt else told.temperature,
            seed=task.seed + attempt,
        )
        async with aclosing(pieces):
            async for piece in pieces:
                tokens += 1
                if stream.feed(piece) and task.early:
                    # Success: what follows only repeats the prompt.
                    return self._early(stream, task, tokens)
        return self._whole(stream.text, task, tokens)

    def _early(self, stream: VerdictStream, task: VerdictTask, tokens: int) -> Verdict:
        return Verdict(
            success=True,
            refine_prompt=task.used_prompt,
            reasoning=stream.thought,
            early=True,
            model=self._engine.model,
            model_version=self._options.model_version,
            output_tokens=tokens,
        )

    def _whole(self, reply: str, task: VerdictTask, tokens: int) -> Verdict | VerdictUnparsable:
        try:
            draft = parse_verdict(reply, self._pack.answer)
        except UnparsableVerdictError as error:
            return VerdictUnparsable(detail=str(error), model=self._engine.model)
        return Verdict(
            success=draft.previous_step_success,
            refine_prompt=draft.refine_prompt or task.used_prompt,
            reasoning=draft.reasoning,
            model=self._engine.model,
            model_version=self._options.model_version,
            output_tokens=tokens,
        )


@lru_cache(maxsize=16)
def white_canvas(width_px: int, height_px: int) -> bytes:
    """A white PNG: what a first step's picture is compared with.

    Source: InterleaveThinker, critic input at step 1.
    """
    file = io.BytesIO()
    Image.new("RGB", (width_px, height_px), "white").save(file, "PNG")
    return file.getvalue()
