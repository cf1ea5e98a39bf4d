"""Client of the planner service."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

from pydantic import ValidationError

from shared.clients.failures import bad_reply
from shared.clients.transport import Cancelled, ServiceClient, never_cancelled
from shared.contracts.plans import (
    PLAN_MESSAGE,
    PlanCheck,
    PlanCheckResult,
    PlanFinished,
    PlanRefused,
    PlanStepWritten,
    PlanTask,
)

_SERVICE = "planner"


class PlannerClient(ServiceClient):
    """Asks the planner service for plans."""

    service = _SERVICE

    def plan(
        self, task: PlanTask, cancelled: Cancelled = never_cancelled
    ) -> Generator[PlanStepWritten | PlanFinished | PlanRefused]:
        """The plan's steps as they are written, then exactly one end message.

        Close it (``contextlib.closing``) when leaving early.

        Raises:
            CallCancelledError: soon after ``cancelled()`` became true.
            UpstreamError: a subclass that says what failed; ``retryable`` says what to do.
        """
        with closing(self._http.post_lines("/v1/plans", task, cancelled)) as lines:
            for line in lines:
                message = _message(line)
                yield message
                if not isinstance(message, PlanStepWritten):
                    return
        raise bad_reply(_SERVICE, "it ended without a plan.")

    async def check(self, check: PlanCheck) -> PlanCheckResult:
        """Whether this request can be planned at all; quick, asks no model."""
        answer = await self._http.fetch("/v1/plans:check", task=check)
        try:
            return PlanCheckResult.model_validate_json(answer)
        except ValidationError as error:
            raise bad_reply(_SERVICE, "not a check result.") from error


def _message(line: str) -> PlanStepWritten | PlanFinished | PlanRefused:
    try:
        return PLAN_MESSAGE.validate_json(line)
    except ValidationError as error:
        raise bad_reply(_SERVICE, "a line is not a plan message.") from error
