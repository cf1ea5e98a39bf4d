"""An engine that is still being loaded while the process already answers health checks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

import structlog

from shared.errors import ServiceUnavailableError
from shared.llm.engine import ChatEngine, ChatMessage

_log = structlog.get_logger(__name__)


class LateEngine:
    """A ``ChatEngine`` that is unavailable until ``load`` has made the real one."""

    def __init__(self, make: Callable[[], ChatEngine], *, name: str) -> None:
        self._make = make
        self._name = name
        self._engine: ChatEngine | None = None
        self.alive = True
        """False when loading failed; only a restart helps."""

    @property
    def model(self) -> str:
        """See ``ChatEngine.model``."""
        return self._name

    async def load(self) -> None:
        """Make the engine on a worker thread; a failure is logged and ends ``alive``."""
        try:
            self._engine = await asyncio.to_thread(self._make)
        except Exception as error:  # noqa: BLE001 - the border to the model library
            self.alive = False
            _log.error("engine_failed", model=self._name, exc_info=error)
        else:
            _log.info("engine_loaded", model=self._name)

    def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncGenerator[str]:
        """See ``ChatEngine.stream``."""
        return self._loaded.stream(
            messages, max_tokens=max_tokens, temperature=temperature, seed=seed
        )

    async def health(self) -> None:
        """See ``ChatEngine.health``."""
        await self._loaded.health()

    async def aclose(self) -> None:
        """See ``ChatEngine.aclose``."""
        if self._engine is not None:
            await self._engine.aclose()

    @property
    def _loaded(self) -> ChatEngine:
        if self._engine is None:
            raise ServiceUnavailableError("The model is still being loaded.")
        return self._engine
