"""The OpenAI-shaped doors, on in-memory parts."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from shared.contracts.problems import Problem
from shared.contracts.trajectories import Status
from tests.unit.services.gateway.gateway_app import World, png

DATA_URL = "data:image/png;base64," + base64.b64encode(png()).decode()


@asynccontextmanager
async def orchestrator(world: World, *, fails: bool = False) -> AsyncGenerator[None]:
    """Ends every trajectory soon after it was created."""

    async def run() -> None:
        done = 0
        while True:
            await asyncio.sleep(0.01)
            for trajectory_id, _ in world.dispatcher.sent[done:]:
                done += 1
                finish(world, trajectory_id, fails=fails)

    task = asyncio.create_task(run())
    yield
    task.cancel()


def finish(world: World, trajectory_id: str, *, fails: bool) -> None:
    record = world.store.load(trajectory_id)
    assert record is not None
    if not fails:
        world.finish(trajectory_id, steps=record.request.steps or 2)
        return
    problem = Problem(code="plan_unusable", title="x", detail="No plan came out.")
    world.save(record, "trajectory.failed", status=Status.FAILED, problem=problem)


async def test_pictures_of_a_prompt_come_inside_the_answer(world: World) -> None:
    async with world.client() as client, orchestrator(world):
        answer = await client.post(
            "/v1/images/generations", json={"prompt": "a seed", "n": 2, "size": "64x64", "seed": 5}
        )
    body = answer.json()
    assert answer.status_code == 200
    assert len(body["data"]) == 2
    assert base64.b64decode(body["data"][0]["b64_json"]) == png(64, 64, "blue")
    records = [world.store.load(one) for one in body["trajectories"]]
    assert [r.request.seed for r in records if r] == [5, 6]
    assert {r.request.steps for r in records if r} == {1}


async def test_a_picture_can_be_an_address(world: World) -> None:
    async with world.client() as client, orchestrator(world):
        answer = await client.post(
            "/v1/images/generations", json={"prompt": "a seed", "response_format": "url"}
        )
        file = await client.get(answer.json()["data"][0]["url"])
    assert file.content == png(64, 64, "blue")


async def test_an_edit_takes_images_from_a_form(world: World) -> None:
    async with world.client() as client, orchestrator(world):
        for field in ("image", "image[]"):
            answer = await client.post(
                "/v1/images/edits", data={"prompt": "make it night"}, files={field: png()}
            )
            assert answer.status_code == 200, answer.text
            record = world.store.load(answer.json()["trajectories"][0])
            assert record is not None
            assert len(record.request.images) == 1
        none = await client.post("/v1/images/edits", data={"prompt": "make it night"})
        many = await client.post(
            "/v1/images/edits", data={"prompt": "x", "n": "99"}, files={"image": png()}
        )
    assert none.json()["error"]["param"] == "image"
    assert (many.status_code, many.json()["error"]["param"]) == (422, "n")


async def test_a_conversation_is_answered_with_text_and_pictures_in_turn(world: World) -> None:
    messages = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Continue"},
                {"type": "image_url", "image_url": {"url": DATA_URL}},
            ],
        },
    ]
    async with world.client() as client, orchestrator(world):
        answer = await client.post("/v1/chat/completions", json={"messages": messages})
    body = answer.json()
    content = body["choices"][0]["message"]["content"]
    assert [part["type"] for part in content] == ["text", "image_url", "text", "image_url"]
    assert content[1]["image_url"]["url"].startswith("data:image/png;base64,")
    assert body["choices"][0]["finish_reason"] == "stop"
    record = world.store.load(body["id"])
    assert record is not None
    assert record.request.prompt == "Continue <image>"


async def test_a_streamed_answer_sends_each_part_once_and_ends(world: World) -> None:
    body = {"messages": [{"role": "user", "content": "a seed"}], "stream": True}
    async with world.client() as client, orchestrator(world):
        answer = await client.post("/v1/chat/completions", json=body)
    events = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    chunks = [json.loads(event)["choices"][0] for event in events[:-1]]
    parts = [part for chunk in chunks for part in chunk["delta"].get("content", [])]
    assert events[-1] == "[DONE]"
    assert chunks[0]["delta"] == {"role": "assistant"}
    assert [part["type"] for part in parts] == ["text", "image_url", "text", "image_url"]
    assert chunks[-1]["finish_reason"] == "stop"


async def test_failures_have_the_error_member_these_clients_read(world: World) -> None:
    messages = [{"role": "user", "content": "a seed"}]
    async with world.client() as client, orchestrator(world, fails=True):
        failed = await client.post("/v1/images/generations", json={"prompt": "a seed"})
        streamed = await client.post(
            "/v1/chat/completions", json={"messages": messages, "stream": True}
        )
        unknown = await client.post(
            "/v1/chat/completions", json={"messages": messages, "temperature": 1}
        )
        model = await client.post(
            "/v1/images/generations", json={"prompt": "a seed", "model": "dall-e"}
        )
        empty = await client.post(
            "/v1/chat/completions", json={"messages": [{"role": "user", "content": " "}]}
        )
    assert failed.json()["error"]["message"] == "No plan came out."
    assert '"message": "No plan came out."' in streamed.text
    assert unknown.json()["error"]["param"] == "temperature"
    assert "sketchbook" in model.json()["error"]["message"]
    assert empty.status_code == 422


async def test_models_are_the_generators(world: World) -> None:
    async with world.client() as client:
        answer = await client.get("/v1/models")
    assert [model["id"] for model in answer.json()["data"]] == ["sketchbook", "large"]
