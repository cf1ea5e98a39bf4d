"""``:fork`` through HTTP, on in-memory parts."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from services.gateway.manifest import manifest_bytes
from shared.contracts.trajectories import PlanCommand, StepStatus, Trajectory
from tests.unit.services.gateway.gateway_app import World

PROMPT = {"prompt": "Tell how a seed becomes a flower.", "max_generator_calls": 9}


async def finished(world: World, client: httpx.AsyncClient, *, steps: int = 2) -> str:
    answer = await client.post("/v1/trajectories", json=PROMPT)
    trajectory_id = str(answer.json()["id"])
    world.finish(trajectory_id, steps=steps)
    return trajectory_id


async def fork(client: httpx.AsyncClient, parent: str, **body: object) -> dict[str, Any]:
    answer = await client.post(f"/v1/trajectories/{parent}:fork", json=body)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/trajectories/{answer.json()['id']}"
    return answer.json()


def record(world: World, view: dict[str, Any]) -> Trajectory:
    found = world.store.load(view["id"])
    assert found is not None
    return found


async def test_a_fork_is_a_new_trajectory_with_the_steps_before_n(world: World) -> None:
    async with world.client() as client:
        parent = await finished(world, client, steps=3)
        view = await fork(client, parent, step=3, prompt="draw a rose", seed=5)
    assert view["forked_from"] == {
        "trajectory_id": parent,
        "step": 3,
        "kept_steps": 2,
        "replanned": False,
    }
    assert (view["status"], view["request"]["seed"]) == ("queued", 5)
    assert view["request"]["max_generator_calls"] == 9
    assert [step["status"] for step in view["steps"]] == ["accepted", "accepted"]
    (command,) = record(world, view).pending
    assert isinstance(command, PlanCommand)
    assert command.given is not None
    prompts = [step.prompt for step in command.given.steps]
    assert prompts == ["draw a seed", "draw a seed", "draw a rose"]
    assert world.dispatcher.sent[-1] == (view["id"], "plan")


async def test_kept_pictures_outlive_the_trajectory_they_came_from(world: World) -> None:
    async with world.client() as client:
        parent = await finished(world, client)
        view = await fork(client, parent, step=2)
        assert (await client.delete(f"/v1/trajectories/{parent}")).status_code == 204
        answers = [await client.get(a["image"]["url"]) for a in view["steps"][0]["attempts"]]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert {a["image"]["id"].split("_")[1] for a in view["steps"][0]["attempts"]} == {
        view["id"].removeprefix("trj_")
    }


async def test_the_manifest_tells_what_was_kept_without_ids(world: World) -> None:
    async with world.client() as client:
        parent = await finished(world, client)
        first = record(world, await fork(client, parent, step=2, seed=3))
        second = record(world, await fork(client, parent, step=2, seed=3))
        other = record(world, await fork(client, parent, step=1, seed=3))
    assert manifest_bytes(first) == manifest_bytes(second) != manifest_bytes(other)
    told = json.loads(manifest_bytes(first))["forked_from"]
    assert (told["step"], told["kept_steps"], len(told["sha256"])) == (2, 1, 64)
    assert parent not in json.dumps(told)


async def test_a_fork_may_go_on_behind_the_last_step_or_plan_again(world: World) -> None:
    async with world.client() as client:
        parent = await finished(world, client)
        more = await fork(client, parent, step=3, steps=[{"step_number": 3, "prompt": "a bee"}])
        again = await fork(client, parent, step=2, replan=True)
    commands = [record(world, view).pending[0] for view in (more, again)]
    assert isinstance(commands[0], PlanCommand)
    assert commands[0].given is not None
    assert len(commands[0].given.steps) == 3
    assert isinstance(commands[1], PlanCommand)
    assert commands[1].given is None


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"step": 3}, 404, None),
        ({"step": 9, "replan": True}, 404, None),
        ({"step": 2, "replan": True, "prompt": "x"}, 422, ""),
        ({"step": 2, "steps": [{"step_number": 3, "prompt": "x"}]}, 422, "/steps/0/step_number"),
        ({"step": 2, "steps": [{"step_number": 2}]}, 422, "/steps/0"),
        ({"step": 2, "generator": "nobody"}, 422, "/generator"),
        ({"step": 2, "unknown": 1}, 422, "/unknown"),
    ],
)
async def test_an_impossible_fork_is_refused(
    world: World, body: dict[str, object], status: int, pointer: str | None
) -> None:
    async with world.client() as client:
        parent = await finished(world, client)
        answer = await client.post(f"/v1/trajectories/{parent}:fork", json=body)
    assert answer.status_code == status, answer.text
    if pointer is not None:
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_steps_that_are_not_done_cannot_be_kept(world: World) -> None:
    async with world.client() as client:
        parent = await finished(world, client)
        state = world.store.load(parent)
        assert state is not None
        failed = state.steps[0].model_copy(update={"status": StepStatus.FAILED, "chosen": None})
        world.save(state, steps=(failed, *state.steps[1:]))
        answer = await client.post(f"/v1/trajectories/{parent}:fork", json={"step": 2})
    assert answer.status_code == 409


async def test_another_tenants_trajectory_cannot_be_forked(world: World) -> None:
    async with world.client() as client:
        parent = await finished(world, client)
    async with world.client(await world.key("ten_b")) as stranger:
        answer = await stranger.post(f"/v1/trajectories/{parent}:fork", json={"step": 1})
    assert answer.status_code == 404


async def test_the_same_idempotency_key_gives_the_same_fork(world: World) -> None:
    async with world.client() as client:
        parent = await finished(world, client)
        path, headers = f"/v1/trajectories/{parent}:fork", {"Idempotency-Key": "once"}
        first = await client.post(path, json={"step": 2}, headers=headers)
        second = await client.post(path, json={"step": 2}, headers=headers)
        third = await client.post(path, json={"step": 1}, headers=headers)
    assert first.json()["id"] == second.json()["id"]
    assert second.headers["idempotent-replayed"] == "true"
    assert third.status_code == 422
