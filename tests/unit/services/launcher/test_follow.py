"""Following events through drops: the gateway is a transport that answers from a script."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
from pydantic import SecretStr

from services.launcher.api import ApiClient, Order
from services.launcher.errors import RefusedError
from services.launcher.follow import follow
from services.launcher.views import EventView, GapView

Answer = Callable[[httpx.Request], httpx.Response]
CREATED = {
    "id": "trj_1",
    "status": "queued",
    "final": False,
    "sequence": 1,
    "request": {"prompt": "x"},
}


def sse(*events: tuple[int, str]) -> httpx.Response:
    blocks = [
        f"id: {number}\nevent: {kind}\ndata: {json.dumps({'sequence': number, 'type': kind})}\n\n"
        for number, kind in events
    ]
    body = "retry: 100\n\n: a comment\n\n" + "".join(blocks)
    return httpx.Response(200, text=body, headers={"content-type": "text/event-stream"})


def client(*answers: httpx.Response | Exception, seen: list[httpx.Request]) -> ApiClient:
    waiting = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        result = waiting.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    transport = httpx.MockTransport(answer)
    return ApiClient("http://gateway", SecretStr("il_x"), transport=transport, pause_s=0.0)


def test_events_are_followed_to_the_final_one() -> None:
    seen: list[httpx.Request] = []
    with client(sse((1, "trajectory.queued"), (2, "trajectory.succeeded")), seen=seen) as api:
        types = [event.type for event in follow(api, "trj_1") if isinstance(event, EventView)]
    assert types == ["trajectory.queued", "trajectory.succeeded"]
    assert "last-event-id" not in seen[0].headers


def test_after_a_drop_it_resumes_behind_the_last_event_and_repeats_none() -> None:
    seen: list[httpx.Request] = []
    answers = (
        sse((1, "trajectory.queued"), (2, "plan.step")),
        httpx.ConnectError("gone"),
        httpx.Response(503),
        sse((2, "plan.step"), (3, "trajectory.succeeded")),
    )
    with client(*answers, seen=seen) as api:
        numbers = [event.sequence for event in follow(api, "trj_1")]
    assert numbers == [1, 2, 3]
    assert [request.headers.get("last-event-id") for request in seen] == [None, "2", "2", "2"]


def test_a_gap_with_a_final_snapshot_ends_it() -> None:
    snapshot = CREATED | {"status": "succeeded", "final": True, "sequence": 9}
    gap = json.dumps({"type": "gap", "sequence": 9, "snapshot": snapshot})
    text = f"event: gap\nid: 9\ndata: {gap}\n\n"
    headers = {"content-type": "text/event-stream"}
    with client(httpx.Response(200, text=text, headers=headers), seen=[]) as api:
        (event,) = follow(api, "trj_1")
    assert isinstance(event, GapView)


def test_a_missing_trajectory_is_a_refusal() -> None:
    problem = {"title": "Not found", "detail": "There is no such trajectory."}
    with (
        client(httpx.Response(404, json=problem), seen=[]) as api,
        pytest.raises(RefusedError, match="no such trajectory"),
    ):
        list(follow(api, "trj_1"))


def test_creating_waits_out_a_restart_with_the_same_idempotency_key() -> None:
    seen: list[httpx.Request] = []
    answers = (httpx.ConnectError("gone"), httpx.Response(503), httpx.Response(202, json=CREATED))
    with client(*answers, seen=seen) as api:
        assert api.create(Order("x", seed=3)).id == "trj_1"
    assert len({request.headers["idempotency-key"] for request in seen}) == 1
    assert json.loads(seen[0].content) == {"prompt": "x", "images": [], "seed": 3}


def test_a_refusal_names_the_field() -> None:
    problem = {
        "title": "The request is not valid",
        "detail": "One field is wrong.",
        "errors": [{"pointer": "/steps", "detail": "at most 50"}],
    }
    with (
        client(httpx.Response(422, json=problem), seen=[]) as api,
        pytest.raises(RefusedError, match="/steps: at most 50"),
    ):
        api.create(Order("x", steps=99))
