"""Server-sent events, plans and retries: through HTTP, on in-memory parts."""

from __future__ import annotations

import asyncio
import json

import httpx

from shared.contracts.events import PlanApproved, PlanEdited, StepRetryRequested
from shared.contracts.plans import PlanStep
from shared.contracts.trajectories import Status, StepState, Trajectory
from tests.unit.services.gateway.gateway_app import World

Event = tuple[str, int, dict[str, object]]


async def create(client: httpx.AsyncClient, **body: object) -> str:
    answer = await client.post("/v1/trajectories", json={"prompt": "a seed", **body})
    return str(answer.json()["id"])


async def events_of(client: httpx.AsyncClient, trajectory_id: str, **headers: str) -> list[Event]:
    answer = await client.get(f"/v1/trajectories/{trajectory_id}/events", headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [parsed(block) for block in answer.text.split("\r\n\r\n") if "data:" in block]


def parsed(block: str) -> Event:
    fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
    return fields["event"], int(fields["id"]), json.loads(fields["data"])


def saved(world: World, trajectory_id: str) -> Trajectory:
    found = world.store.load(trajectory_id)
    assert found is not None
    return found


async def test_the_stream_tells_everything_and_ends_with_the_final_state(world: World) -> None:
    async with world.client() as client:
        trajectory_id = await create(client)
        world.finish(trajectory_id)
        events = await events_of(client, trajectory_id)
    assert [(kind, number) for kind, number, _ in events] == [
        ("trajectory.queued", 1),
        ("trajectory.running", 2),
        ("trajectory.succeeded", 3),
    ]


async def test_events_arrive_while_the_trajectory_runs(world: World) -> None:
    async with world.client() as client, asyncio.TaskGroup() as group:
        trajectory_id = await create(client)
        listening = group.create_task(events_of(client, trajectory_id))
        await asyncio.sleep(0.05)
        world.finish(trajectory_id)
    assert [number for _, number, _ in listening.result()] == [1, 2, 3]


async def test_a_listener_resumes_after_any_event_without_loss_or_repeat(world: World) -> None:
    async with world.client() as client:
        trajectory_id = await create(client)
        world.finish(trajectory_id)
        whole = await events_of(client, trajectory_id)
        for seen in range(len(whole)):
            rest = await events_of(client, trajectory_id, **{"Last-Event-ID": str(seen)})
            assert whole[:seen] + rest == whole


async def test_who_has_seen_everything_is_told_to_stop(world: World) -> None:
    async with world.client() as client:
        trajectory_id = await create(client)
        world.finish(trajectory_id)
        answer = await client.get(
            f"/v1/trajectories/{trajectory_id}/events", headers={"Last-Event-ID": "3"}
        )
        odd = await client.get(
            f"/v1/trajectories/{trajectory_id}/events", headers={"Last-Event-ID": "x"}
        )
    assert (answer.status_code, odd.status_code) == (204, 422)


async def test_forgotten_events_become_a_gap_with_a_snapshot(world: World) -> None:
    world.feed.forgotten = 2
    async with world.client() as client:
        trajectory_id = await create(client)
        world.finish(trajectory_id)
        events = await events_of(client, trajectory_id)
    ((kind, number, data),) = events
    assert (kind, number) == ("gap", 3)
    assert data["snapshot"]["status"] == "succeeded"  # type: ignore[index]


async def test_a_retried_trajectory_streams_past_its_first_end(world: World) -> None:
    async with world.client() as client:
        trajectory_id = await create(client)
        done = world.finish(trajectory_id)
        again = world.save(done, "trajectory.running", status=Status.RUNNING)
        world.save(again, "trajectory.succeeded", status=Status.SUCCEEDED)
        events = await events_of(client, trajectory_id)
    assert [number for _, number, _ in events] == [1, 2, 3, 4, 5]


def await_approval(world: World, trajectory_id: str) -> Trajectory:
    steps = tuple(StepState(plan=PlanStep(step_number=n, prompt="x")) for n in (3, 4))
    return world.save(
        saved(world, trajectory_id),
        "trajectory.awaiting_approval",
        status=Status.AWAITING_APPROVAL,
        steps=steps,
        plan_complete=True,
    )


async def test_a_plan_is_read_edited_and_approved(world: World) -> None:
    async with world.client() as client:
        trajectory_id = await create(client, approval="plan")
        await_approval(world, trajectory_id)
        path = f"/v1/trajectories/{trajectory_id}"
        plan = (await client.get(f"{path}/plan")).json()
        steps = [{**step, "prompt": "y"} for step in plan["steps"]]
        edited = await client.put(
            f"{path}/plan", json={"steps": steps, "revision": plan["revision"]}
        )
        approved = await client.post(f"{path}:approve")
    mail = world.store.load_mail(trajectory_id)
    assert (edited.status_code, approved.status_code) == (202, 202)
    assert mail is not None
    edit, approval = mail.inbox
    assert isinstance(edit, PlanEdited)
    assert [step.prompt for step in edit.plan.steps] == ["y", "y"]
    assert edit.revision == 1
    assert approval == PlanApproved()


async def test_a_bad_plan_is_refused_with_a_pointer(world: World) -> None:
    async with world.client() as client:
        trajectory_id = await create(client, approval="plan", max_steps=2)
        await_approval(world, trajectory_id)
        path = f"/v1/trajectories/{trajectory_id}/plan"
        gap = await client.put(path, json={"steps": [{"step_number": 1, "prompt": "x"}]})
        empty = await client.put(path, json={"steps": [{"step_number": 3}]})
        many = await client.put(
            path, json={"steps": [{"step_number": 3 + n, "prompt": "x"} for n in range(3)]}
        )
        old = await client.put(
            path, json={"steps": [{"step_number": 3, "prompt": "x"}], "revision": 7}
        )
    pointers = [answer.json()["errors"][0]["pointer"] for answer in (gap, empty, many)]
    assert pointers == ["/steps/0/step_number", "/steps/0", "/steps"]
    assert old.status_code == 409


async def test_a_plan_that_awaits_nothing_can_be_neither_edited_nor_approved(
    world: World,
) -> None:
    async with world.client() as client:
        path = f"/v1/trajectories/{await create(client)}"
        edited = await client.put(
            f"{path}/plan", json={"steps": [{"step_number": 1, "prompt": "x"}]}
        )
        approved = await client.post(f"{path}:approve")
    assert (edited.status_code, approved.status_code) == (409, 409)


async def test_a_step_is_retried_by_its_number(world: World) -> None:
    async with world.client() as client:
        trajectory_id = await create(client)
        world.finish(trajectory_id)
        path = f"/v1/trajectories/{trajectory_id}/steps"
        answer = await client.post(f"{path}/2:retry", json={"seed": 9})
        missing = await client.post(f"{path}/7:retry")
    mail = world.store.load_mail(trajectory_id)
    assert (answer.status_code, missing.status_code) == (202, 404)
    assert mail is not None
    assert mail.inbox == (StepRetryRequested(step=1, seed=9, after_attempt=2),)


async def test_a_step_that_was_not_begun_cannot_be_retried(world: World) -> None:
    async with world.client() as client:
        trajectory_id = await create(client, approval="plan")
        waiting = await_approval(world, trajectory_id)
        first = await client.post(f"/v1/trajectories/{trajectory_id}/steps/3:retry")
        world.save(waiting, "trajectory.running", status=Status.RUNNING)
        second = await client.post(f"/v1/trajectories/{trajectory_id}/steps/4:retry")
    assert (first.status_code, second.status_code) == (409, 409)
