"""Measures whole trajectories on held-out requests, with and without the critic.

The pictures that come back are read into scenes and held against each request's goal.

Everything goes over the public API, as a user's request would. Not here: starting the service
(``stack``), the parts' own measures (``generator.evaluate``, ``agents.evaluate``).
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import httpx
import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict

from services.trainer.sketchbook.reading import decode
from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.requests import SketchRequest, sample_request
from services.trainer.sketchbook.shares import Share
from services.trainer.sketchbook.wording import Split
from services.trainer.sketchbook.world import Scene

IN_FLIGHT = 16
WITH_CRITIC: Mapping[str, str | int] = {"profile": "default", "max_attempts": 3}
WITHOUT_CRITIC: Mapping[str, str | int] = {"profile": "fast"}
_TIMEOUT_S = 600.0
_WAIT_S = 30


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Image(_View):
    url: str


class _Step(_View):
    text: str
    image: _Image | None


class _Trajectory(_View):
    id: str
    final: bool
    status: str
    steps: tuple[_Step, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """Address and key of the running service."""

    url: str
    key: str
    transport: httpx.AsyncBaseTransport | None = None
    """Other than HTTP, for tests."""


def held_out_requests(count: int, *, seed: int) -> list[SketchRequest]:
    """Requests in wordings that nothing was trained on, all uses mixed."""
    rng = Random(f"trajectories-{seed}")
    return [sample_request(rng, Split.HELDOUT) for _ in range(count)]


def measure_trajectories(service: Service, *, count: int, seed: int = 0) -> dict[str, Share]:
    """The shares of requests whose goal is reached, with the critic and without."""
    requests = held_out_requests(count, seed=seed)
    with_critic = asyncio.run(_reached(service, requests, WITH_CRITIC))
    without = asyncio.run(_reached(service, requests, WITHOUT_CRITIC))
    return {
        "trajectory.success_with_critic": Share.of(with_critic),
        "trajectory.success_without_critic": Share.of(without),
    }


async def _reached(
    service: Service, requests: Sequence[SketchRequest], options: Mapping[str, str | int]
) -> list[bool]:
    headers = {"Authorization": f"Bearer {service.key}"}
    slots = asyncio.Semaphore(IN_FLIGHT)
    async with httpx.AsyncClient(
        base_url=service.url,
        headers=headers,
        timeout=_TIMEOUT_S,
        trust_env=False,
        transport=service.transport,
    ) as client:

        async def one(number: int, request: SketchRequest) -> bool:
            async with slots:
                return await _is_reached(client, request, {**options, "seed": number})

        return await asyncio.gather(*(one(n, request) for n, request in enumerate(requests)))


async def _is_reached(
    client: httpx.AsyncClient, request: SketchRequest, options: Mapping[str, str | int]
) -> bool:
    """Whether the pictures and texts that came back fulfil the request; a refusal does not."""
    uploads = [await _upload(client, scene) for scene in request.images]
    body = {"prompt": request.text, "images": uploads, **options}
    answer = await client.post("/v1/trajectories", json=body)
    if answer.is_client_error:
        return False
    trajectory = _Trajectory.model_validate_json(answer.raise_for_status().content)
    while not trajectory.final:
        url = f"/v1/trajectories/{trajectory.id}"
        answer = await client.get(url, params={"wait": _WAIT_S})
        trajectory = _Trajectory.model_validate_json(answer.raise_for_status().content)
    return await _judge(client, request, trajectory)


async def _judge(
    client: httpx.AsyncClient, request: SketchRequest, trajectory: _Trajectory
) -> bool:
    if trajectory.status not in {"succeeded", "partially_succeeded"}:
        return False
    scenes: list[Scene] = []
    for step in trajectory.steps:
        if step.image is None:
            continue
        reading = decode(await _picture(client, step.image.url))
        if not reading.legible:
            return False
        scenes.append(reading.scene)
    return request.goal.reached(scenes, [step.text or None for step in trajectory.steps])


async def _upload(client: httpx.AsyncClient, scene: Scene) -> str:
    file = io.BytesIO()
    Image.fromarray(render(scene)).save(file, "PNG")
    answer = await client.post("/v1/uploads", files={"file": ("given.png", file.getvalue())})
    return str(answer.raise_for_status().json()["id"])


async def _picture(client: httpx.AsyncClient, url: str) -> np.ndarray:
    answer = (await client.get(url, follow_redirects=True)).raise_for_status()
    with Image.open(io.BytesIO(answer.content)) as image:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)
