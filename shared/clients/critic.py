"""Client of the critic service."""

from __future__ import annotations

from pydantic import ValidationError

from shared.clients.failures import bad_reply
from shared.clients.transport import CallTimeouts, Cancelled, ModelTransport, never_cancelled
from shared.contracts.verdicts import VERDICT_REPLY, Verdict, VerdictTask, VerdictUnparsable
from shared.errors import InterleaveError

_SERVICE = "critic"


class CriticClient:
    """Asks the critic service for verdicts."""

    def __init__(self, base_url: str, *, timeouts: CallTimeouts | None = None) -> None:
        self._http = ModelTransport(_SERVICE, base_url, timeouts=timeouts)

    def judge(
        self, task: VerdictTask, cancelled: Cancelled = never_cancelled
    ) -> Verdict | VerdictUnparsable:
        """The verdict on one picture; raises as ``PlannerClient.plan`` does."""
        answer = self._http.post("/v1/verdicts", task, cancelled)
        try:
            return VERDICT_REPLY.validate_json(answer)
        except ValidationError as error:
            raise bad_reply(_SERVICE, "not a verdict.") from error

    async def ready(self) -> bool:
        """Whether the service takes work now."""
        try:
            await self._http.fetch("/readyz")
        except InterleaveError:
            return False
        return True
