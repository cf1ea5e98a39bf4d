"""The models behind the scripted services: a plan, a flat picture, a kind verdict.

``drawing_app`` is the real generator service (store, batcher, hang-up) on a backend that paints.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from services.generator.app import build_app
from services.generator.batcher import BatchLimits
from services.generator.ports import Drawing, DrawRequest
from services.generator.service import GeneratorService
from services.generator.settings import GeneratorSettings
from shared.contracts.generation import GeneratorInfo
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
from shared.stores.s3_images import S3ImageStore
from tests.faults.script import parse

SIDE_PX = 16
MODEL = "scripted"
REFUSED_HEADER = "x-refuse"
INFO = GeneratorInfo(
    name=MODEL,
    model=MODEL,
    version="1",
    max_references=16,
    default_width_px=SIDE_PX,
    default_height_px=SIDE_PX,
    min_side_px=SIDE_PX,
    max_side_px=256,
    side_multiple_px=SIDE_PX,
    default_steps=1,
    max_batch=8,
)


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


def drawing_app() -> ASGIApp:
    """The real generator service on ``Paints``."""
    settings = GeneratorSettings()
    limits = BatchLimits(max_batch=8, max_wait_s=0.0, max_waiting=1024)
    service = GeneratorService(Paints(), S3ImageStore(settings.storage), limits=limits)
    return build_app(service, settings)


@dataclass
class Paints:
    """A backend that paints one colour, decided by seed and number of references."""

    info: GeneratorInfo = INFO
    lanes: int = 1
    ready: bool = True
    alive: bool = True

    async def open(self) -> None:
        """Nothing is loaded."""

    async def close(self) -> None:
        """Nothing is freed."""

    def shape_of(self, request: DrawRequest) -> Hashable:
        """What may be drawn together."""
        return (request.width_px, request.height_px, len(request.references))

    async def draw(self, requests: Sequence[DrawRequest]) -> Sequence[Drawing]:
        """One colour each."""
        return [
            Image.new(
                "RGB", (one.width_px, one.height_px), (one.seed % 256, len(one.references), 99)
            )
            for one in requests
        ]


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
