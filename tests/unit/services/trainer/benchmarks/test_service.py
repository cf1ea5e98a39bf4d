from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from services.trainer.benchmarks.asking import RunOptions, item_seed, request_body
from services.trainer.benchmarks.connection import Connection
from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.options import JudgeChoices
from services.trainer.benchmarks.records import BenchmarkDataError, Item, System
from services.trainer.benchmarks.service import InterleaveService
from shared.errors import (
    BadReplyError,
    ServiceRejectedError,
    ServiceTimeoutError,
    ServiceUnavailableError,
)
from tests.unit.services.trainer.benchmarks.conftest import draw

PNG = b"a picture"
IMAGE = {"id": "pic_1", "url": "/v1/files/pic_1", "sha256": hashlib.sha256(PNG).hexdigest(),
         "width": 32}  # fmt: skip
ITEM = Item("i", "draw a hen", "g")
Handler = Callable[[httpx.Request], httpx.Response]


def trajectory(status: str, **more: object) -> dict[str, object]:
    final = status in {"succeeded", "failed", "cancelled"}
    return {"id": "trj_1", "status": status, "final": final, "unknown": 1} | more


DONE = trajectory(
    "succeeded",
    steps=[{"step_number": 1, "text": "A hen.", "prompt": "a hen", "status": "kept", "chosen": 2,
            "image": IMAGE, "attempts": [{"number": 1, "prompt": "a hen"},
                                         {"number": 2, "prompt": "one hen"}]}],
    output=[{"type": "text", "step": 1, "text": "A hen."},
            {"type": "image", "step": 1, "image": IMAGE}],
    usage={"planner_calls": 1, "generator_calls": 2, "critic_calls": 2},
)  # fmt: skip


def service(handler: Handler, **options: object) -> InterleaveService:
    http = httpx.AsyncClient(transport=httpx.MockTransport(handler), base_url="http://interleave")
    return InterleaveService(http, RunOptions.model_validate(options), tries=3, pause_s=0)


async def test_a_finished_trajectory_becomes_a_result_with_its_picture(
    folder: ResultsFolder,
) -> None:
    asked: list[tuple[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path))
        if request.method == "POST":
            assert request.headers["Idempotency-Key"] == "k"
            return httpx.Response(202, json=trajectory("queued"))
        if request.url.path.startswith("/v1/files"):
            return httpx.Response(200, content=PNG)
        return httpx.Response(200, json=DONE)

    got = await service(handler).produce(ITEM, folder, key="k")
    assert asked == [("POST", "/v1/trajectories"), ("GET", "/v1/trajectories/trj_1"),
                     ("GET", "/v1/files/pic_1")]  # fmt: skip
    (step,) = got.steps
    assert (step.prompt, step.used_prompt, step.accepted, step.attempts) == (
        "a hen", "one hen", False, 2,
    )  # fmt: skip
    assert [part.type for part in got.parts] == ["text", "image"]
    assert (folder.item("i") / "1.png").read_bytes() == PNG
    assert got.generator_calls == 2


async def test_the_generator_alone_gets_the_request_as_every_step(
    folder: ResultsFolder,
) -> None:
    plans: list[dict[str, object]] = []
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        if request.url.path == "/v1/trajectories":
            body = json.loads(request.content)
            assert body["approval"] == "plan"
            assert "hen" not in body["prompt"], "a planner must not fail the generator"
            assert body["prompt"].count("<image>") == 1
            return httpx.Response(202, json=trajectory("planning"))
        if request.method == "PUT":
            plans.append(json.loads(request.content))
            return httpx.Response(200, json={})
        if asked[-1].endswith(":approve"):
            return httpx.Response(202, json={})
        done = any(call.endswith(":approve") for call in asked)
        status = "failed" if done else "awaiting_approval"
        planned = [{"step_number": 2, "text": "", "prompt": "p", "status": "pending",
                    "chosen": None, "image": None, "attempts": []}]  # fmt: skip
        return httpx.Response(200, json=trajectory(status, plan_revision=len(plans), steps=planned))

    item = Item("i", "<image> add a hen", "g", (draw(folder.root / "a.png"),), steps=2)
    got = await service(handler, system=System.GENERATOR).produce(item, folder, key="k")
    steps = [{"step_number": number, "prompt": "add a hen"} for number in (2, 3)]
    assert plans == [{"steps": steps}]
    put = asked.index("PUT /v1/trajectories/trj_1/plan")
    assert asked.index("POST /v1/trajectories/trj_1:approve") == put + 2, "once it is replaced"
    assert not got.delivered


async def test_passing_trouble_is_tried_again(folder: ResultsFolder) -> None:
    answers = [httpx.Response(503), httpx.Response(429, headers={"Retry-After": "0"}),
               httpx.Response(200, json=trajectory("failed"))]  # fmt: skip
    got = await service(lambda _request: answers.pop(0)).produce(ITEM, folder, key="k")
    assert got.status == "failed"


async def test_a_service_that_stays_down_is_unavailable(folder: ResultsFolder) -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there")

    with pytest.raises(ServiceUnavailableError, match="3 times"):
        await service(refuse).produce(ITEM, folder, key="k")


async def test_a_refused_item_says_why(folder: ResultsFolder) -> None:
    problem = httpx.Response(422, json={"detail": "no such generator"})
    with pytest.raises(ServiceRejectedError, match="no such generator"):
        await service(lambda _request: problem).produce(ITEM, folder, key="k")


async def test_a_wrong_key_ends_the_run_instead_of_failing_every_item(
    folder: ResultsFolder,
) -> None:
    with pytest.raises(ServiceUnavailableError, match="another API key"):
        await service(lambda _request: httpx.Response(401)).produce(ITEM, folder, key="k")


async def test_an_address_without_the_service_ends_the_run_instead_of_failing_every_item(
    folder: ResultsFolder,
) -> None:
    with pytest.raises(ServiceUnavailableError, match="address of a gateway"):
        await service(lambda _request: httpx.Response(404)).produce(ITEM, folder, key="k")


@pytest.mark.parametrize("address", ["127.0.0.1:8080", "ftp://host", "http://", ""])
def test_an_address_is_checked_before_anything_is_asked(address: str) -> None:
    with pytest.raises(BenchmarkDataError, match="--server"):
        Connection(address, "")
    with pytest.raises(BenchmarkDataError, match="--judge-url"):
        JudgeChoices(address, "judge", "", 1, 0.0)


async def test_an_item_that_takes_too_long_is_cancelled(folder: ResultsFolder) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json=trajectory("running"))

    with pytest.raises(ServiceTimeoutError):
        await service(handler, item_timeout_s=0.0).produce(ITEM, folder, key="k")
    assert asked[-1].endswith(":cancel")


async def test_a_picture_that_is_not_what_its_hash_says_is_not_kept(
    folder: ResultsFolder,
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/v1/files"):
            return httpx.Response(200, content=b"cut")
        return httpx.Response(200, json=DONE)

    with pytest.raises(BadReplyError):
        await service(handler).produce(ITEM, folder, key="k")
    assert not (folder.item("i") / "1.png").exists()


def test_a_body_holds_only_what_was_chosen(tmp_path: Path) -> None:
    item = Item("i", "<image> go on", "g", (draw(tmp_path / "a.jpg"),), steps=30)
    body = request_body(item, RunOptions(profile="paper", max_attempts=5))
    assert body["profile"] == "paper"
    assert (body["steps"], body["max_steps"], body["max_attempts"]) == (30, 30, 5)
    assert str(body["images"]).startswith("['data:image/jpeg;base64,")
    assert "generator" not in body
    assert "approval" not in body
    alone = request_body(item, RunOptions(system=System.NO_CRITIC, max_attempts=5))
    assert alone["profile"] == "fast"
    assert "max_attempts" not in alone


def test_every_item_has_its_own_seed_the_same_each_time() -> None:
    options = RunOptions(seed=3)
    assert item_seed(options, ITEM) == item_seed(options, ITEM)
    assert item_seed(options, ITEM) != item_seed(options, Item("j", "", "g"))
    assert item_seed(options, ITEM) != item_seed(RunOptions(seed=4), ITEM)
