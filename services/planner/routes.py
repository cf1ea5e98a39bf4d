"""The planner's HTTP: a task in, newline-delimited JSON out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from services.planner.service import PlanMessages, PlannerService
from shared.contracts.plans import (
    PlanCheck,
    PlanCheckResult,
    PlanFinished,
    PlanRefused,
    PlanStepWritten,
    PlanTask,
)
from shared.http.disconnect import while_connected

NDJSON = "application/x-ndjson"


def planner_router(service: PlannerService) -> APIRouter:
    """The routes of one service object."""
    router = APIRouter(prefix="/v1", tags=["planner"])

    @router.post("/plans", response_class=StreamingResponse)
    async def plan(task: PlanTask, request: Request) -> StreamingResponse:
        """Write a plan, a line per step, then the whole; hanging up stops the work."""
        messages = service.plan(task)
        # What fails before the first line still gets a status of its own.
        first = await while_connected(request, anext(messages))
        return StreamingResponse(_lines(first, messages), media_type=NDJSON)

    @router.post("/plans:check")
    async def check(check: PlanCheck) -> PlanCheckResult:
        """Whether a request can be planned at all."""
        return service.check(check)

    return router


async def _lines(
    first: PlanStepWritten | PlanFinished | PlanRefused, rest: PlanMessages
) -> AsyncGenerator[str]:
    async with aclosing(rest):
        yield first.model_dump_json() + "\n"
        async for message in rest:
            yield message.model_dump_json() + "\n"
