"""Writes plans: a request in, steps out as they are written, then the checked whole.

Not here: HTTP (``routes``), words and reading (``shared.prompts``), models (``shared.llm``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import structlog

from services.planner.draft import PlanDraft
from shared.contracts.images import ImageRef
from shared.contracts.plans import (
    Plan,
    PlanCheck,
    PlanCheckResult,
    PlanFinished,
    PlanRefused,
    PlanStep,
    PlanStepWritten,
    PlanTask,
)
from shared.errors import OutOfScopeError, PlanUnusableError, TooLargeError
from shared.llm.engine import ChatEngine, ChatMessage, TextPart
from shared.prompts.pack import PromptPack
from shared.prompts.planner import (
    ImageMarksError,
    InvalidPlanError,
    PlanFacts,
    PlanStream,
    UnparsablePlanError,
    check_image_marks,
    parse_plan,
    render_plan_messages,
    validate_plan,
)
from shared.stores.images import ImageStore
from shared.telemetry.metrics import MODEL_CALLS
from shared.telemetry.tracing import span_across_yields

_MAX_NAMED_WORDS: Final = 5
_log = structlog.get_logger(__name__)
PlanMessages = AsyncGenerator[PlanStepWritten | PlanFinished | PlanRefused]


@dataclass(frozen=True, slots=True)
class PlannerOptions:
    """How the planner is asked."""

    reasks: int = 1
    """How often an invalid plan is asked for again."""
    explains: bool = True
    """A re-ask tells the model what was wrong; else it only draws again, warmer."""
    reask_temperature: float = 0.7
    max_images: int = 16
    model_version: str = ""
    """Stated with every plan."""


class PlannerService:
    """The use-cases of the planner service."""

    def __init__(
        self,
        engine: ChatEngine,
        pack: PromptPack,
        *,
        store: ImageStore,
        options: PlannerOptions | None = None,
    ) -> None:
        self._engine = engine
        self._pack = pack
        self._store = store
        self._options = options or PlannerOptions()

    def check(self, check: PlanCheck) -> PlanCheckResult:
        """Whether a request can be planned at all; asks no model."""
        try:
            self._check_images(check)
            self._check_scope(check.prompt)
        except (ImageMarksError, TooLargeError, OutOfScopeError) as error:
            return PlanCheckResult(ok=False, code=error.code, detail=error.detail)
        return PlanCheckResult(ok=True)

    async def plan(self, task: PlanTask) -> PlanMessages:
        """Steps as they are written, then exactly one end message; closing it stops the model.

        Raises:
            InvalidRequestError: if ``<image>`` marks and images do not match.
            InterleaveError: if the store or the model fails.
        """
        images = await self._images(task.images)
        asked = render_plan_messages(self._pack, task.prompt, images, steps=task.steps)
        facts = PlanFacts(len(images), task.steps, task.max_steps)
        # A small model's second plan is another plan, not a corrected one: where a count makes
        # a second one likely, nothing is promised before.
        holds = task.steps is not None and not self._options.explains
        draft = PlanDraft(facts, holds=holds)
        with span_across_yields(
            "invoke_agent", self._engine.model, trajectory_id=task.trajectory_id
        ):
            async with aclosing(self._attempts(asked, draft, seed=task.seed)) as messages:
                async for message in messages:
                    yield message

    async def _attempts(
        self, asked: Sequence[ChatMessage], draft: PlanDraft, *, seed: int
    ) -> PlanMessages:
        conversation, fault = asked, ""
        for attempt in range(1 + self._options.reasks):
            reply = PlanStream(self._pack.answer)
            pieces = self._pieces(conversation, seed, attempt=attempt)
            async with aclosing(self._new_steps(pieces, reply, draft)) as steps:
                async for step in steps:
                    yield PlanStepWritten(step=step)
            found = self._read(reply.text, draft)
            if not isinstance(found, str):
                for step in found[len(draft.shown) :]:
                    yield PlanStepWritten(step=step)
                yield self._finished(found, draft)
                return
            fault = found
            _log.warning("plan_unusable", attempt=attempt, shown=len(draft.shown))
            if draft.contradicted:
                break
            conversation = self._again(asked, reply.text, fault)
        MODEL_CALLS.labels("plan", self._engine.model, "refused").inc()
        yield PlanRefused(code=PlanUnusableError.code, detail=f"No usable plan: {fault}.")

    async def _new_steps(
        self, pieces: AsyncGenerator[str], reply: PlanStream, draft: PlanDraft
    ) -> AsyncGenerator[PlanStep]:
        draft.begin_reply()
        async with aclosing(pieces):
            async for piece in pieces:
                draft.tokens += 1
                for step in reply.feed(piece):
                    if draft.offer(step):
                        yield step

    async def _images(self, refs: Sequence[ImageRef]) -> list[bytes]:
        return [await asyncio.to_thread(self._store.get, ref) for ref in refs]

    def _pieces(
        self, conversation: Sequence[ChatMessage], seed: int, *, attempt: int
    ) -> AsyncGenerator[str]:
        told = self._pack.planner
        warmer = attempt > 0 and not self._options.explains
        return self._engine.stream(
            conversation,
            max_tokens=told.max_tokens,
            temperature=self._options.reask_temperature if warmer else told.temperature,
            seed=seed + attempt,
        )

    def _read(self, reply: str, draft: PlanDraft) -> tuple[PlanStep, ...] | str:
        """The plan, or what is wrong with it."""
        try:
            steps = parse_plan(reply, self._pack.answer)
            validate_plan(steps, draft.facts)
        except (UnparsablePlanError, InvalidPlanError) as error:
            return str(error)
        if not draft.keeps_promises(steps):
            draft.contradicted = True
            return "the planner changed a step it had already given"
        return steps

    def _again(self, asked: Sequence[ChatMessage], reply: str, fault: str) -> Sequence[ChatMessage]:
        if not self._options.explains:
            return asked
        request = (
            f"This plan cannot be used: {fault}. Write the whole answer again in the same "
            "format, correct this, and keep everything else as it is."
        )
        said = ChatMessage("assistant", (TextPart(reply),))
        return [*asked, said, ChatMessage("user", (TextPart(request),))]

    def _finished(self, steps: tuple[PlanStep, ...], draft: PlanDraft) -> PlanFinished:
        MODEL_CALLS.labels("plan", self._engine.model, "planned").inc()
        _log.info("plan_written", steps=len(steps), tokens=draft.tokens)
        return PlanFinished(
            plan=Plan(steps=steps),
            model=self._engine.model,
            model_version=self._options.model_version,
            output_tokens=draft.tokens,
        )

    def _check_images(self, check: PlanCheck) -> None:
        if check.image_count > self._options.max_images:
            raise TooLargeError(f"At most {self._options.max_images} images can be given.")
        check_image_marks(check.prompt, check.image_count)

    def _check_scope(self, prompt: str) -> None:
        unknown = self._pack.unknown_words(prompt)
        if not unknown:
            return
        named = ", ".join(f'"{word}"' for word in unknown[:_MAX_NAMED_WORDS])
        detail = f"The loaded model pack ({self._pack.name}) does not know {named}."
        if self._pack.scope is not None and self._pack.scope.example:
            detail += f" It can be asked, for example: {self._pack.scope.example}"
        raise OutOfScopeError(detail)
