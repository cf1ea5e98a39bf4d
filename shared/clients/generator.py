"""Client of a generator service."""

from __future__ import annotations

from pydantic import ValidationError

from shared.clients.failures import bad_reply
from shared.clients.transport import Cancelled, ServiceClient, never_cancelled
from shared.contracts.generation import (
    GENERATE_REPLY,
    GenerateTask,
    GeneratorInfo,
    Picture,
    PictureRefused,
)

_SERVICE = "generator"


class GeneratorClient(ServiceClient):
    """Asks one generator service for pictures."""

    service = _SERVICE

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
