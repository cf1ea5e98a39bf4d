"""Asks a trained agent as the services do: same pack, same engine, same parsers.

Not here: counting how often it is right (``evaluate``).
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from services.trainer.sketchbook.agents.data import Picture, shown
from services.trainer.sketchbook.agents.lessons import pack
from services.trainer.sketchbook.world import Scene
from shared.contracts.plans import PlanStep
from shared.llm.engine import ChatEngine, ChatMessage
from shared.llm.qwen3_vl import Qwen3VLEngine
from shared.prompts.critic import UnparsableVerdictError, VerdictDraft, parse_verdict
from shared.prompts.planner import UnparsablePlanError, parse_plan
from shared.prompts.rendering import render_plan_messages, render_verdict_messages


def png(picture: Scene | Picture | None) -> bytes:
    """A scene or picture as a PNG file; nothing is a white canvas."""
    file = io.BytesIO()
    Image.fromarray(shown(picture)).save(file, "PNG")
    return file.getvalue()


class Agent:
    """One trained model, loaded once."""

    def __init__(self, folder: Path) -> None:
        """Load a model folder into this process."""
        self._engine: ChatEngine = Qwen3VLEngine(str(folder))
        self._loop = asyncio.Runner()

    def ask(self, messages: Sequence[ChatMessage], *, max_tokens: int) -> str:
        """The whole answer, the likeliest one."""
        return self._loop.run(self._answer(messages, max_tokens))

    async def _answer(self, messages: Sequence[ChatMessage], max_tokens: int) -> str:
        stream = self._engine.stream(messages, max_tokens=max_tokens, temperature=0.0, seed=0)
        return "".join([piece async for piece in stream])

    def plan(self, request: str, images: Sequence[Scene]) -> tuple[PlanStep, ...]:
        """The planner's steps; none if its answer cannot be read."""
        messages = render_plan_messages(pack(), request, [png(image) for image in images])
        try:
            return parse_plan(self.ask(messages, max_tokens=pack().planner.max_tokens))
        except UnparsablePlanError:
            return ()

    def judge(
        self, prompt: str, used: str, *, before: Scene | Picture | None, after: Picture
    ) -> VerdictDraft | None:
        """The critic's verdict; None if its answer cannot be read."""
        messages = render_verdict_messages(
            pack(), prompt, used, before=png(before), after=png(after)
        )
        try:
            return parse_verdict(self.ask(messages, max_tokens=pack().critic.max_tokens))
        except UnparsableVerdictError:
            return None
