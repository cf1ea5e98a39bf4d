from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.trainer.benchmarks.replies import ImageReply, TrajectoryReply
from services.trainer.data.collecting import Collecting, collect
from services.trainer.data.folder import DataFolder
from services.trainer.data.records import PromptRecord, TrajectoryRecord
from shared.errors import ServiceRejectedError, ServiceUnavailableError

PROMPTS = [
    PromptRecord(id=f"p{n}", category="a", subcategory="b", text=f"draw {n}") for n in range(4)
]
HOW = Collecting(generator="g", concurrency=1)


def _reply(number: int) -> TrajectoryReply:
    image = {"url": "/x", "sha256": "0"}
    attempts = [
        {"number": n, "prompt": f"try {n}", "image": image,
         "verdict": {"success": n == 2, "refine_prompt": f"try {n + 1}"}}
        for n in (1, 2)
    ]  # fmt: skip
    step = {"step_number": 1, "text": "t", "prompt": "try 1", "status": "accepted", "chosen": 2,
            "image": image, "attempts": attempts}  # fmt: skip
    second = {**step, "step_number": 2}
    return TrajectoryReply.model_validate(
        {"id": f"trj{number}", "status": "succeeded", "final": True, "steps": [step, second]}
    )


class DiesAtTheThird:
    """Answers two requests, then cannot be reached."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def finished(self, body: Mapping[str, object], *, key: str) -> TrajectoryReply:
        self.asked.append(str(body["prompt"]))
        if len(self.asked) == 3:
            raise ServiceUnavailableError("gone")
        return _reply(len(self.asked))

    async def picture(self, image: ImageReply) -> bytes:
        return b"png"


class Refuses:
    """Refuses every request."""

    async def finished(self, body: Mapping[str, object], *, key: str) -> TrajectoryReply:
        raise ServiceRejectedError("422: no")

    async def picture(self, image: ImageReply) -> bytes:
        raise AssertionError("nothing was drawn")


def _collected(folder: DataFolder, service: DiesAtTheThird | Refuses) -> list[TrajectoryRecord]:
    done: list[TrajectoryRecord] = []
    asyncio.run(collect(PROMPTS, folder, service, HOW, on_done=done.append))
    return done


def test_every_attempt_is_kept_with_its_picture_and_source(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    with pytest.raises(ServiceUnavailableError):
        _collected(folder, DiesAtTheThird())

    first, second = next(iter(folder.trajectories)).steps
    assert [(a.prompt, a.verdict) for a in first.attempts] == [("try 1", False), ("try 2", True)]
    assert (first.source, second.source) == (None, first.file)
    assert folder.path(str(first.file)).read_bytes() == b"png"


def test_a_service_that_dies_costs_only_what_was_under_way(tmp_path: Path) -> None:
    folder, service = DataFolder(tmp_path), DiesAtTheThird()
    with pytest.raises(ServiceUnavailableError):
        _collected(folder, service)

    again = _collected(DataFolder(tmp_path), service)

    assert again
    assert len(service.asked) == 5  # the one under way was asked for twice
    assert set(DataFolder(tmp_path).newest()) == {f"p{n}-g" for n in range(4)}


def test_a_refused_request_is_counted_and_not_asked_again(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)

    assert {record.status for record in _collected(folder, Refuses())} == {"not_produced"}
    assert _collected(folder, Refuses()) == []


class Outage:
    """Fails every trajectory for want of its planner, until it is back."""

    def __init__(self) -> None:
        self.back = False
        self.keys: list[str] = []

    async def finished(self, body: Mapping[str, object], *, key: str) -> TrajectoryReply:
        await asyncio.sleep(0.01)
        self.keys.append(key)
        if self.back:
            return _reply(len(self.keys))
        gone = {"status": 503, "title": "t", "code": "service_unavailable", "detail": "no planner"}
        return TrajectoryReply.model_validate(
            {"id": "trj", "status": "failed", "final": True, "steps": [], "problem": gone}
        )

    async def picture(self, image: ImageReply) -> bytes:
        return b"png"


def test_an_outage_stops_the_job_and_its_requests_are_run_again_as_new(tmp_path: Path) -> None:
    service = Outage()
    with pytest.raises(ServiceUnavailableError, match=r"2 requests in a row .* no planner"):
        asyncio.run(collect(PROMPTS, DataFolder(tmp_path), service, HOW, on_done=lambda _: None))
    service.back = True
    asyncio.run(collect(PROMPTS, DataFolder(tmp_path), service, HOW, on_done=lambda _: None))

    found = DataFolder(tmp_path).newest()
    assert set(found) == {f"p{n}-g" for n in range(4)}
    assert [record.id for record in found.values()][:2] == ["p0-g-try2", "p1-g-try2"]
    assert all(record.usable for record in found.values())
    assert len(set(service.keys)) == len(service.keys) == 6
    first = found["p0-g"].steps[0]
    assert str(first.file).startswith("images/p0-g-try2/")
