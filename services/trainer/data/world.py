"""Requests of the Sketchbook world as prompts, and the way back from a prompt to its request.

A prompt keeps the seed that made it, so its exact plan and goal can be made again. Not here: the
requests themselves (``sketchbook.requests``).
"""

from __future__ import annotations

import io
from itertools import count
from random import Random

from PIL import Image

from services.trainer.data.catalogue import normal, prompt_id
from services.trainer.data.folder import DataFolder
from services.trainer.data.records import PromptRecord
from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.requests import SketchRequest, sample_request
from services.trainer.sketchbook.wording import Split
from services.trainer.sketchbook.world import Scene

_SEEDS_PER_RUN = 10_000_000
_MAX_TRIES_PER_PROMPT = 50


def world_request(world_seed: int) -> SketchRequest:
    """The request of a seed: a training wording."""
    return sample_request(Random(f"data-{world_seed}"), Split.TRAIN)


def sample_world(folder: DataFolder, total: int, *, seed: int) -> list[PromptRecord]:
    """So many different requests; their pictures are drawn into the folder."""
    chosen: list[PromptRecord] = []
    seen: set[tuple[str, tuple[Scene, ...]]] = set()
    for number in count():
        if len(chosen) == total or number > total * _MAX_TRIES_PER_PROMPT:
            return chosen
        world_seed = seed * _SEEDS_PER_RUN + number
        request = world_request(world_seed)
        key = (normal(request.text), request.images)
        if key not in seen:
            seen.add(key)
            chosen.append(_prompt(folder, request, world_seed))
    return chosen


def _prompt(folder: DataFolder, request: SketchRequest, world_seed: int) -> PromptRecord:
    name = prompt_id(f"{request.text} {world_seed}")
    images = tuple(
        folder.keep(f"images/prompts/{name}_{number}.png", png(scene))
        for number, scene in enumerate(request.images)
    )
    return PromptRecord(
        id=name,
        category=request.use.value,
        subcategory="implicit" if request.implicit else "explicit",
        text=request.text,
        images=images,
        world_seed=world_seed,
    )


def png(scene: Scene) -> bytes:
    """A scene as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(render(scene)).save(file, "PNG")
    return file.getvalue()
