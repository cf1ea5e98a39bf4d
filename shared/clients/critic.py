"""Client of the critic service."""

from __future__ import annotations

from pydantic import ValidationError

from shared.clients.failures import bad_reply
from shared.clients.transport import Cancelled, ServiceClient, never_cancelled
from shared.contracts.verdicts import VERDICT_REPLY, Verdict, VerdictTask, VerdictUnparsable

_SERVICE = "critic"


class CriticClient(ServiceClient):
    """Asks the critic service for verdicts."""

    service = _SERVICE

    def judge(
        self, task: VerdictTask, cancelled: Cancelled = never_cancelled
    ) -> Verdict | VerdictUnparsable:
        """The verdict on one picture; raises as ``PlannerClient.plan`` does."""
        answer = self._http.post("/v1/verdicts", task, cancelled)
        try:
            return VERDICT_REPLY.validate_json(answer)
        except ValidationError as error:
            raise bad_reply(_SERVICE, "not a verdict.") from error
