"""The minds behind the scripted planner and critic: a plan, a kind verdict."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from shared.contracts.plans import (
    Plan,
    PlanCheckResult,
    PlanFinished,
    PlanStep,
    PlanStepWritten,
    PlanTask,
)
from shared.contracts.verdicts import Verdict, VerdictTask
from shared.contracts.wire import Wire
from tests.faults.script import parse

MODEL = "scripted"
REFUSED_HEADER = "x-refuse"


def planning_app() -> ASGIApp:
    """Plans as many steps as the script says."""
    return Starlette(
        routes=[
            Route("/v1/plans", _write_plan, methods=["POST"]),
            Route("/v1/plans:check", _check, methods=["POST"]),
            Route("/readyz", _ready),
            Route("/healthz", _ready),
        ]
    )


def judging_app() -> ASGIApp:
    """Passes every picture, unless the script's answer came along in a header."""
    return Starlette(
        routes=[
            Route("/v1/verdicts", _judge, methods=["POST"]),
            Route("/readyz", _ready),
            Route("/healthz", _ready),
        ]
    )


async def _write_plan(request: Request) -> Response:
    task = PlanTask.model_validate_json(await request.body())
    _, script = parse(task.prompt)
    steps = tuple(
        PlanStep(step_number=n, prompt=script.prompt(n), instruction=f"step {n}")
        for n in range(1, (task.steps or script.steps) + 1)
    )
    messages: list[Wire] = [PlanStepWritten(step=step) for step in steps]
    messages.append(PlanFinished(plan=Plan(steps=steps), model=MODEL))
    lines = "".join(f"{message.model_dump_json()}\n" for message in messages)
    return Response(lines, media_type="application/x-ndjson")


async def _judge(request: Request) -> Response:
    task = VerdictTask.model_validate_json(await request.body())
    verdict = Verdict(
        success=REFUSED_HEADER not in request.headers,
        refine_prompt=task.used_prompt,
        reasoning="scripted",
        model=MODEL,
    )
    return Response(verdict.model_dump_json(), media_type="application/json")


async def _check(_: Request) -> Response:
    return Response(PlanCheckResult(ok=True).model_dump_json(), media_type="application/json")


async def _ready(_: Request) -> Response:
    return JSONResponse({"status": "ok"})
