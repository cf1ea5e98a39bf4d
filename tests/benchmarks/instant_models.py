"""Planner, critic and generator in one process that answer at once.

What is left of a trajectory's time is then the orchestration's own. ``GET /seconds`` gives how
long the handlers themselves took.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.contracts.generation import GenerateTask, GeneratorInfo, Picture
from shared.contracts.images import ImageRef
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

DEFAULT_STEPS = 4
BUCKET = "interleave"
_spent_s: list[float] = []


async def write_plan(request: Request) -> Response:
    """A plan of as many steps as asked, all written at once."""
    task = PlanTask.model_validate_json(await request.body())
    numbers = range(1, (task.steps or DEFAULT_STEPS) + 1)
    steps = tuple(PlanStep(step_number=n, prompt=f"draw {n}", instruction="x") for n in numbers)
    messages: list[Wire] = [PlanStepWritten(step=step) for step in steps]
    messages.append(PlanFinished(plan=Plan(steps=steps), model="instant"))
    lines = "".join(f"{message.model_dump_json()}\n" for message in messages)
    return Response(lines, media_type="application/x-ndjson")


async def check_plan(_request: Request) -> Response:
    """Everything can be planned."""
    return _json(PlanCheckResult(ok=True))


async def judge(request: Request) -> Response:
    """Every picture passes."""
    task = VerdictTask.model_validate_json(await request.body())
    return _json(Verdict(success=True, refine_prompt=task.used_prompt, model="instant"))


async def draw(request: Request) -> Response:
    """A picture that was never drawn."""
    task = GenerateTask.model_validate_json(await request.body())
    image = ImageRef(
        bucket=BUCKET,
        key=task.output_key,
        sha256=hashlib.sha256(task.output_key.encode()).hexdigest(),
        size_bytes=1,
        width_px=task.width_px,
        height_px=task.height_px,
    )
    return _json(Picture(image=image, model="instant"))


async def info(_request: Request) -> Response:
    """What can be asked of the generator."""
    return _json(
        GeneratorInfo(
            name="sketchbook",
            model="instant",
            default_width_px=128,
            default_height_px=128,
            min_side_px=64,
            max_side_px=256,
            side_multiple_px=32,
            default_steps=1,
        )
    )


async def ready(_request: Request) -> Response:
    """Always."""
    return JSONResponse({"status": "ok"})


async def seconds(_request: Request) -> Response:
    """How long each handler took since the last time somebody asked."""
    spent = _spent_s.copy()
    _spent_s.clear()
    return JSONResponse(spent)


def make_app() -> Starlette:
    """All three services."""
    return Starlette(
        routes=[
            Route("/v1/plans", _timed(write_plan), methods=["POST"]),
            Route("/v1/plans:check", check_plan, methods=["POST"]),
            Route("/v1/verdicts", _timed(judge), methods=["POST"]),
            Route("/v1/images", _timed(draw), methods=["POST"]),
            Route("/v1/info", info),
            Route("/readyz", ready),
            Route("/seconds", seconds),
        ]
    )


def _timed(
    handler: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def timed(request: Request) -> Response:
        began = time.perf_counter()
        try:
            return await handler(request)
        finally:
            _spent_s.append(time.perf_counter() - began)

    return timed


def _json(message: Wire) -> Response:
    return Response(message.model_dump_json(), media_type="application/json")
