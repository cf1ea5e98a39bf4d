"""The ablation's trajectories are the service's: same plans, same pictures, same end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest

from services.trainer.ablation.measuring import Laboratory, chosen, question_seed
from services.trainer.ablation.rows import Checkpoints, Row
from services.trainer.ablation.trajectories import run
from services.trainer.benchmarks.asking import RunOptions, item_seed
from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.records import Item
from services.trainer.benchmarks.service import InterleaveService
from services.trainer.benchmarks.sketchbench import Sketchbench, frozen_questions
from services.trainer.data.scoring import opened
from services.trainer.sketchbook.reading import Picture
from services.trainer.sketchbook.stack import running_service
from services.trainer.sketchbook.trajectories import Service

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

_REQUESTS = 8
_SEED = 5
_FULL = Row("full", "full system", "planner", "critic")
_MODELS = Path("models/sketchbook")
_ROUNDING = 2
"""Shades by which pictures differ that are drawn in batches of other sizes."""


async def _served(service: Service, items: list[Item], folder: ResultsFolder) -> None:
    options = RunOptions(seed=_SEED, max_attempts=_FULL.attempts)
    headers = {"Authorization": f"Bearer {service.key}"}
    async with httpx.AsyncClient(
        base_url=service.url, headers=headers, timeout=600, trust_env=False
    ) as http:
        asked = InterleaveService(http, options)
        for item in items:
            folder.save(await asked.produce(item, folder, key=f"agree-{item.id}"))


def _pictures(folder: ResultsFolder, item: Item) -> list[Picture]:
    produced = folder.load(item.id)
    assert produced is not None
    by_name = {path.name: path for path in folder.pictures(produced)}
    return [opened(by_name[step.file]) for step in produced.steps if step.file]


def test_pictures_in_one_process_are_those_of_the_running_service(tmp_path: Path) -> None:
    questions = chosen(frozen_questions(), _REQUESTS)
    items = list(Sketchbench(tmp_path, questions).items())
    seeds = [question_seed(_SEED, question.id) for question in questions]
    assert seeds == [item_seed(RunOptions(seed=_SEED), item) for item in items]
    folder = ResultsFolder(tmp_path / "served")

    with running_service(_MODELS) as service:
        asyncio.run(_served(service, items, folder))
    crew = Laboratory(Checkpoints()).crew(_FULL)
    courses = run(crew, [question.request for question in questions], seeds)

    for item, course in zip(items, courses, strict=True):
        served = _pictures(folder, item)
        assert len(served) == len(course.accepted), item.prompt
        for one, other in zip(served, course.accepted, strict=True):
            assert np.abs(one.astype(int) - other.astype(int)).max() <= _ROUNDING, item.prompt
