"""The scripted model services, with pictures that are really in the bucket."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.contracts.generation import GenerateTask, Picture
from shared.contracts.plans import Plan, PlanFinished, PlanStep, PlanStepWritten, PlanTask
from shared.settings import StorageSettings
from shared.stores.s3_images import S3ImageStore
from tests.fakes.model_services import ModelServices
from tests.integration.gateway.model_services import INFO
from tests.security.belongings import picture


@dataclass(slots=True)
class DrawingServices(ModelServices):
    """Every picture is one colour, told by its prompt."""

    storage: StorageSettings = field(kw_only=True)

    def app(self) -> Starlette:
        """Also says what the generator can do."""
        app = ModelServices.app(self)
        app.router.routes.append(Route("/v1/info", _info))
        return app

    async def _plan(self, request: Request) -> Response:
        """As many steps as are asked for, or two."""
        task = PlanTask.model_validate_json(await request.body())
        count = task.steps or min(2, task.max_steps)
        steps = tuple(
            PlanStep(step_number=n, instruction=f"step {n}", prompt=f"draw {n}")
            for n in range(1, count + 1)
        )
        lines = [PlanStepWritten(step=step).model_dump_json() for step in steps]
        lines.append(PlanFinished(plan=Plan(steps=steps)).model_dump_json())
        return Response("\n".join(lines) + "\n", media_type="application/x-ndjson")

    async def _draw(self, request: Request) -> Response:
        task = GenerateTask.model_validate_json(await request.body())
        store = S3ImageStore(self.storage)
        image = store.put(
            task.output_key,
            picture(task.prompt),
            width_px=task.width_px,
            height_px=task.height_px,
        )
        drawn = Picture(image=image, model="fake", model_version="1")
        return Response(drawn.model_dump_json(), media_type="application/json")


async def _info(_: Request) -> Response:
    return Response(INFO.model_dump_json(), media_type="application/json")
