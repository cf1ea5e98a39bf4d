"""Measuring whole trajectories: against a service that carries out the plan exactly, or never."""

from __future__ import annotations

import io
import json

import httpx
from PIL import Image

from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.requests import SketchRequest, execute
from services.trainer.sketchbook.trajectories import (
    Service,
    held_out_requests,
    measure_trajectories,
)
from services.trainer.sketchbook.world import Scene

COUNT = 8
SEED = next(
    seed
    for seed in range(100)
    if len({r.text for r in held_out_requests(COUNT, seed=seed)}) == COUNT
)
"""The service below knows a request by its text, so no two may be worded alike."""


def png(scene: Scene) -> bytes:
    file = io.BytesIO()
    Image.fromarray(render(scene)).save(file, "PNG")
    return file.getvalue()


class ExactService(httpx.AsyncBaseTransport):
    """Answers as the gateway does after a perfect run of each request's own plan."""

    def __init__(self, requests: list[SketchRequest], *, fails_without_critic: bool) -> None:
        self.by_text = {request.text: request for request in requests}
        self.fails_without_critic = fails_without_critic
        self.pictures: list[bytes] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/uploads":
            return httpx.Response(201, json={"id": "up_1"})
        if request.url.path.startswith("/v1/files/"):
            number = int(request.url.path.rpartition("/")[2])
            return httpx.Response(200, content=self.pictures[number])
        body = json.loads(await request.aread())
        failed = self.fails_without_critic and body["profile"] == "fast"
        return httpx.Response(202, json=self.finished(body["prompt"], failed=failed))

    def finished(self, text: str, *, failed: bool) -> dict[str, object]:
        request = self.by_text[text]
        scenes = iter(execute(list(request.prompts), request.source))
        steps: list[dict[str, object]] = []
        for step in request.plan:
            url = None
            if step.prompt is not None:
                self.pictures.append(png(next(scenes)))
                url = {"url": f"/v1/files/{len(self.pictures) - 1}"}
            steps.append({"text": step.auxiliary_text or step.instruction or "", "image": url})
        status = "failed" if failed else "succeeded"
        return {"id": "trj_1", "final": True, "status": status, "steps": steps}


def measured(*, fails_without_critic: bool) -> tuple[float, float]:
    requests = held_out_requests(COUNT, seed=SEED)
    transport = ExactService(requests, fails_without_critic=fails_without_critic)
    service = Service("http://gateway", "il_x", transport)
    shares = measure_trajectories(service, count=COUNT, seed=SEED)
    assert {share.n for share in shares.values()} == {COUNT}
    return (
        shares["trajectory.success_with_critic"].value,
        shares["trajectory.success_without_critic"].value,
    )


def test_a_perfect_service_reaches_every_goal() -> None:
    assert measured(fails_without_critic=False) == (1.0, 1.0)


def test_a_trajectory_that_failed_reaches_nothing() -> None:
    assert measured(fails_without_critic=True) == (1.0, 0.0)
