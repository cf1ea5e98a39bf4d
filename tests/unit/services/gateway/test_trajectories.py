"""Create, read, list, cancel, delete: through HTTP, on in-memory parts."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import httpx
import pytest

from services.gateway.auth import Scope
from shared.contracts.events import CancelRequested
from shared.contracts.plans import PlanCheckResult
from shared.contracts.trajectories import Status
from shared.stores.keys import journal_key
from tests.fakes.image_store import JournalAway
from tests.unit.services.gateway.gateway_app import Page, World, png

PROMPT = {"prompt": "Tell how a seed becomes a flower."}


def data_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


async def create(client: httpx.AsyncClient, **body: object) -> dict[str, Any]:
    answer = await client.post("/v1/trajectories", json={**PROMPT, **body})
    assert answer.status_code == 202, answer.text
    return answer.json()


async def test_a_request_is_accepted_saved_journaled_and_queued(world: World) -> None:
    async with world.client() as client:
        answer = await client.post("/v1/trajectories", json=PROMPT)
    view = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/trajectories/{view['id']}"
    assert (view["status"], view["request"]["seed"]) == ("queued", 4711)
    assert world.store.load(view["id"]) is not None
    assert journal_key(view["id"]) in world.images.objects
    assert world.dispatcher.sent == [(view["id"], "plan")]


async def test_every_default_is_filled_in_and_overrides_count(world: World) -> None:
    async with world.client() as client:
        view = await create(client, profile="strict", max_attempts=2, on_exhausted="keep_last")
    request = view["request"]
    assert request["settings"]["max_attempts"] == 2
    assert request["settings"]["on_exhausted"] == "keep_last"
    assert (request["width"], request["height"], request["generator"]) == (64, 64, "sketchbook")


async def test_the_shape_follows_the_last_given_image(world: World) -> None:
    async with world.client() as client:
        view = await create(client, generator="large", images=[data_url(png(400, 200))])
        paper = await create(
            client, generator="large", images=[data_url(png(400, 200))], profile="paper"
        )
    assert (view["request"]["width"], view["request"]["height"]) == (1456, 720)
    assert (paper["request"]["width"], paper["request"]["height"]) == (1024, 1024)


async def test_images_come_as_upload_data_url_or_https_url(world: World) -> None:
    world.web["pictures.example/b.png"] = Page(png(color="blue"))
    async with world.client() as client:
        upload = await client.post("/v1/uploads", content=png(color="green"))
        view = await create(
            client,
            prompt="<image><image><image> go on",
            images=[
                upload.json()["id"],
                data_url(png(color="red")),
                "https://pictures.example/b.png",
            ],
        )
        files = [await client.get(image["url"]) for image in view["request"]["images"]]
    assert upload.status_code == 201
    assert [file.status_code for file in files] == [200, 200, 200]
    assert len({file.content for file in files}) == 3
    assert world.visited[0].headers["host"] == "pictures.example"
    assert world.visited[0].url.host == "93.184.215.14"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"prompt": "   "}, "/prompt"),
        ({}, "/prompt"),
        ({**PROMPT, "colour": "red"}, "/colour"),
        ({**PROMPT, "generator": "dream"}, "/generator"),
        ({**PROMPT, "profile": "lazy"}, "/profile"),
        ({**PROMPT, "images": ["up_" + "0" * 64] * 40}, "/images"),
        ({**PROMPT, "images": ["http://127.0.0.1/x.png"]}, "/images/0"),
        ({**PROMPT, "images": ["https://private.example/x.png"]}, "/images/0"),
        ({**PROMPT, "images": ["up_" + "0" * 64]}, "/images/0"),
        ({**PROMPT, "images": [data_url(png()[:60])]}, "/images/0"),
        ({"prompt": "<image> <image>", "images": [data_url(png())]}, "/prompt"),
        ({**PROMPT, "width": 1024, "height": 64}, "/width"),
        ({**PROMPT, "references": "all"}, "/references"),
        ({**PROMPT, "profile": "fast", "max_attempts": 3}, "/max_attempts"),
        ({**PROMPT, "webhook": {"url": "http://example.com"}}, "/webhook/url"),
        ({**PROMPT, "webhook": {"url": "https://private.example"}}, "/webhook/url"),
        ({**PROMPT, "seed": 2**63}, "/seed"),
        ({**PROMPT, "steps": 5, "max_steps": 4}, ""),
        ({**PROMPT, "width": 64}, ""),
    ],
)
async def test_what_cannot_be_honoured_is_refused_with_a_pointer(
    world: World, body: dict[str, object], pointer: str
) -> None:
    world.addresses["private.example"] = ["10.0.0.7"]
    async with world.client() as client:
        answer = await client.post("/v1/trajectories", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:interleave:problem:invalid_request"
    assert problem["errors"][0]["pointer"] == pointer
    assert world.visited == []


async def test_an_unknown_generator_is_answered_with_the_names_there_are(world: World) -> None:
    async with world.client() as client:
        answer = await client.post("/v1/trajectories", json={**PROMPT, "generator": "dream"})
    assert "sketchbook, large" in answer.json()["detail"]


async def test_a_request_outside_the_models_world_is_refused(world: World) -> None:
    world.planner.result = PlanCheckResult(ok=False, code="out_of_scope", detail="No dragons.")
    async with world.client() as client:
        answer = await client.post("/v1/trajectories", json={"prompt": "a dragon"})
    assert (answer.status_code, answer.json()["code"]) == (422, "out_of_scope")


async def test_a_request_is_taken_while_the_planner_is_away(world: World) -> None:
    world.planner.result = None
    async with world.client() as client:
        await create(client)


async def test_a_generator_that_never_answered_is_unavailable_not_unknown(world: World) -> None:
    world.generators["large"].away = True
    async with world.client() as client:
        answer = await client.post("/v1/trajectories", json={**PROMPT, "generator": "large"})
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


async def test_the_same_idempotency_key_and_body_give_the_same_trajectory(world: World) -> None:
    headers = {"Idempotency-Key": "order-1"}
    async with world.client() as client:
        first = await client.post("/v1/trajectories", json=PROMPT, headers=headers)
        second = await client.post("/v1/trajectories", json=PROMPT, headers=headers)
        other = await client.post("/v1/trajectories", json={"prompt": "else"}, headers=headers)
    assert first.json()["id"] == second.json()["id"]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert other.status_code == 422
    assert len(world.dispatcher.sent) == 1


async def test_an_idempotency_key_in_flight_is_a_conflict(world: World) -> None:
    async with world.client() as client:
        headers = {"Idempotency-Key": "order-1"}
        await client.post("/v1/trajectories", json=PROMPT, headers=headers)
        (name,) = world.reservations.reservations
        found = world.reservations.reservations[name]
        world.reservations.reservations[name] = found.model_copy(update={"created": False})
        world.reservations.locks.add(name)
        answer = await client.post("/v1/trajectories", json=PROMPT, headers=headers)
    assert answer.status_code == 409


async def test_a_crash_between_creating_and_answering_makes_no_second_trajectory(
    world: World,
) -> None:
    async with world.client() as client:
        headers = {"Idempotency-Key": "order-1"}
        first = await client.post("/v1/trajectories", json=PROMPT, headers=headers)
        (name,) = world.reservations.reservations
        found = world.reservations.reservations[name]
        world.reservations.reservations[name] = found.model_copy(update={"created": False})
        second = await client.post("/v1/trajectories", json=PROMPT, headers=headers)
    assert second.json()["id"] == first.json()["id"]
    assert second.headers["idempotent-replayed"] == "true"


async def test_a_refused_request_frees_its_idempotency_key(world: World) -> None:
    headers = {"Idempotency-Key": "order-1"}
    async with world.client() as client:
        body = {**PROMPT, "generator": "dream"}
        refused = await client.post("/v1/trajectories", json=body, headers=headers)
        accepted = await client.post("/v1/trajectories", json=PROMPT, headers=headers)
    assert (refused.status_code, accepted.status_code) == (422, 202)


async def test_after_a_failing_store_the_same_key_may_come_again_at_once(world: World) -> None:
    headers = {"Idempotency-Key": "order-1"}
    world.images = journal = JournalAway()
    async with world.client() as client:
        failed = await client.post("/v1/trajectories", json=PROMPT, headers=headers)
        journal.away = False
        again = await client.post("/v1/trajectories", json=PROMPT, headers=headers)
    assert (failed.status_code, again.status_code) == (503, 202)


async def test_prefer_wait_answers_with_the_result(world: World) -> None:
    async def finish_soon() -> None:
        while not world.dispatcher.sent:  # noqa: ASYNC110 - the fake has no event
            await asyncio.sleep(0.005)
        world.finish(world.dispatcher.sent[0][0])

    async with world.client() as client, asyncio.TaskGroup() as group:
        group.create_task(finish_soon())
        answer = await client.post(
            "/v1/trajectories", json=PROMPT, headers={"Prefer": "respond-async, wait=20"}
        )
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=20"
    assert [part["type"] for part in answer.json()["output"]] == ["text", "image"] * 2


async def test_get_with_wait_gives_up_in_time(world: World) -> None:
    async with world.client() as client:
        view = await create(client)
        answer = await client.get(f"/v1/trajectories/{view['id']}?wait=1")
    assert answer.json()["status"] == "queued"


async def test_the_view_tells_every_attempt_and_verdict(world: World) -> None:
    async with world.client() as client:
        view = await create(client)
        world.finish(str(view["id"]))
        shown = (await client.get(f"/v1/trajectories/{view['id']}")).json()
        picture = await client.get(shown["steps"][0]["attempts"][0]["image"]["url"])
    first, second = shown["steps"][0]["attempts"]
    assert (first["verdict"]["success"], second["verdict"]["success"]) == (False, True)
    assert shown["steps"][0]["image"] == second["image"]
    assert picture.content == png(64, 64, "green")


async def test_a_list_is_paged_newest_first_and_filtered_by_status(world: World) -> None:
    async with world.client() as client:
        ids = [(await create(client))["id"] for _ in range(3)]
        world.finish(str(ids[0]))
        page = (await client.get("/v1/trajectories?limit=2")).json()
        rest = (await client.get(f"/v1/trajectories?limit=2&cursor={page['next_cursor']}")).json()
        done = (await client.get("/v1/trajectories?status=succeeded")).json()
        bad = await client.get("/v1/trajectories?cursor=nonsense")
    assert [item["id"] for item in page["data"] + rest["data"]] == ids[::-1]
    assert rest["next_cursor"] is None
    assert [item["id"] for item in done["data"]] == [ids[0]]
    assert bad.status_code == 422


async def test_cancel_is_posted_and_a_worker_woken(world: World) -> None:
    async with world.client() as client:
        view = await create(client)
        answer = await client.post(f"/v1/trajectories/{view['id']}:cancel")
    mail = world.store.load_mail(str(view["id"]))
    assert answer.status_code == 202
    assert mail is not None
    assert mail.inbox == (CancelRequested(),)
    assert world.dispatcher.sent[-1] == (view["id"], "wakeup")


async def test_what_has_ended_cannot_be_cancelled_except_when_it_was(world: World) -> None:
    async with world.client() as client:
        done, gone = str((await create(client))["id"]), str((await create(client))["id"])
        world.finish(done)
        cancelled = world.store.load(gone)
        assert cancelled is not None
        world.save(cancelled, "trajectory.cancelled", status=Status.CANCELLED)
        refused = await client.post(f"/v1/trajectories/{done}:cancel")
        again = await client.post(f"/v1/trajectories/{gone}:cancel")
    assert (refused.status_code, again.status_code) == (409, 200)


async def test_delete_removes_record_journal_and_pictures(world: World) -> None:
    async with world.client() as client:
        view = await create(client, prompt="<image>", images=[data_url(png())])
        world.finish(str(view["id"]))
        answer = await client.delete(f"/v1/trajectories/{view['id']}")
        after = await client.get(f"/v1/trajectories/{view['id']}")
    assert (answer.status_code, after.status_code) == (204, 404)
    assert [key for key in world.images.objects if str(view["id"]) in key] == []


async def test_other_tenants_and_malformed_ids_are_not_found(world: World) -> None:
    async with world.client() as client:
        view = await create(client, prompt="<image>", images=[data_url(png())])
        world.finish(str(view["id"]))
    path = f"/v1/trajectories/{view['id']}"
    picture = f"/v1/files/pic_{str(view['id'])[4:]}_0_1"
    async with world.client(await world.key("ten_b")) as other:
        answers = [
            await other.get(path),
            await other.get(f"{path}/events"),
            await other.get(f"{path}/plan"),
            await other.get(f"{path}/document"),
            await other.get(f"{path}/manifest"),
            await other.post(f"{path}:cancel"),
            await other.post(f"{path}:approve"),
            await other.post(f"{path}/steps/1:retry"),
            await other.delete(path),
            await other.get(picture),
            await other.get("/v1/trajectories/nonsense"),
            await other.get("/v1/trajectories/trj_%2e%2e"),
            await other.get("/v1/files/nonsense"),
        ]
        listed = (await other.get("/v1/trajectories")).json()
    assert {answer.status_code for answer in answers} == {404}
    assert listed["data"] == []


async def test_a_key_is_needed_and_its_scopes_count(world: World) -> None:
    reader = await world.key(scopes=(Scope.READ,))
    async with world.client(reader) as client:
        forbidden = await client.post("/v1/trajectories", json=PROMPT)
        allowed = await client.get("/v1/trajectories")
    async with world.client("il_" + "x" * 43) as stranger:
        unknown = await stranger.get("/v1/trajectories")
    assert (forbidden.status_code, allowed.status_code, unknown.status_code) == (403, 200, 401)
    assert "www-authenticate" in unknown.headers


async def test_the_caller_is_told_its_standing_and_stopped_at_the_limit(world: World) -> None:
    world.settings = world.settings.model_copy(update={"creations_per_minute": 2})
    async with world.client() as client:
        answers = [await client.post("/v1/trajectories", json=PROMPT) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[0].headers["ratelimit-policy"] == '"creations";q=2;w=60'
    assert answers[0].headers["ratelimit"] == '"creations";r=1;t=60'
    assert answers[2].headers["retry-after"] == "60"
