"""Client of a generator service."""

from __future__ import annotations

from pydantic import ValidationError

from shared.clients.failures import bad_reply
from shared.clients.transport import CallTimeouts, Cancelled, ModelTransport, never_cancelled
from shared.contracts.generation import (
    GENERATE_REPLY,
    GenerateTask,
    GeneratorInfo,
    Picture,
    PictureRefused,
)
from shared.errors import InterleaveError

_SERVICE = "generator"


class GeneratorClient:
    """Asks one generator service for pictures."""

    def __init__(self, base_url: str, *, timeouts: CallTimeouts | None = None) -> None:
        self._http = ModelTransport(_SERVICE, base_url, timeouts=timeouts)

    def draw(
        self, task: GenerateTask, cancelled: Cancelled = never_cancelled
    ) -> Picture | PictureRefused:
        """One picture, already stored; raises as ``PlannerClient.plan`` does."""
        answer = self._http.post("/v1/images", task, cancelled)
        try:
            return GENERATE_REPLY.validate_json(answer)
        except ValidationError as error:
            raise bad_reply(_SERVICE, "not a picture.") from error

    async def info(self) -> GeneratorInfo:
        """What can be asked of this generator."""
        answer = await self._http.fetch("/v1/info")
        try:
            return GeneratorInfo.model_validate_json(answer)
        except ValidationError as error:
            raise bad_reply(_SERVICE, "not a description of a generator.") from error

    async def ready(self) -> bool:
        """Whether the service takes work now."""
        try:
            await self._http.fetch("/readyz")
        except InterleaveError:
            return False
        return True
