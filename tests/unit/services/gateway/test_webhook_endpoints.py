"""``/v1/webhook-endpoints`` through HTTP, on in-memory parts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.gateway.auth import Scope
from shared.contracts.webhooks import Delivery, DeliveryStatus
from tests.unit.services.gateway.gateway_app import NOW, World

PATH = "/v1/webhook-endpoints"
URL = "https://hooks.example.com/in"


async def create(client: httpx.AsyncClient, **body: object) -> dict[str, Any]:
    answer = await client.post(PATH, json={"url": URL, **body})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{PATH}/{answer.json()['id']}"
    return answer.json()


def delivery(number: int, endpoint: str, status: DeliveryStatus) -> Delivery:
    return Delivery(
        id=f"msg_{number}",
        tenant="ten_a",
        trajectory_id="trj_1",
        sequence=number,
        event="trajectory.succeeded",
        url=URL,
        endpoint=endpoint,
        body="{}",
        created_at=NOW + timedelta(seconds=number),
        status=status,
    )


async def test_the_secret_is_shown_once(world: World) -> None:
    async with world.client() as client:
        made = await create(client, events=["step.finished"], description="mine")
        (listed,) = (await client.get(PATH)).json()["data"]
        read = (await client.get(f"{PATH}/{made['id']}")).json()
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made == listed == read
    assert read["keys"] == [{"hint": secret[-4:], "expires_at": None}]
    assert (read["status"], read["events"]) == ("enabled", ["step.finished"])


async def test_an_endpoint_is_changed_switched_off_and_on_again(world: World) -> None:
    async with world.client() as client:
        path = f"{PATH}/{(await create(client))['id']}"
        off = (await client.patch(path, json={"enabled": False, "events": ["*"]})).json()
        on = (await client.patch(path, json={"enabled": True, "url": URL + "2"})).json()
        gone = await client.delete(path)
        answers = [
            await client.get(path),
            await client.delete(path),
            await client.patch(path, json={}),
            await client.post(f"{path}:rotate"),
            await client.get(f"{path}/deliveries"),
            await client.post(f"{path}:replay", json={"since": NOW.isoformat()}),
        ]
    assert (off["status"], off["disabled_reason"], off["events"]) == ("disabled", "owner", ["*"])
    assert (on["status"], on["disabled_at"], on["url"]) == ("enabled", None, URL + "2")
    assert gone.status_code == 204
    assert [answer.status_code for answer in answers] == [404] * 6


async def test_a_rotation_leaves_two_secrets_for_a_while(world: World) -> None:
    async with world.client() as client:
        made = await create(client)
        path = f"{PATH}/{made['id']}:rotate"
        second = (await client.post(path, json={"overlap_s": 60})).json()
        third = (await client.post(path)).json()
        fourth = (await client.post(path, json={"overlap_s": 0})).json()
    assert len({each["secret"] for each in (made, second, third, fourth)}) == 4
    assert [key["hint"] for key in second["keys"]] == [
        second["secret"][-4:],
        made["secret"][-4:],
    ]
    assert [key["hint"] for key in third["keys"]] == [third["secret"][-4:], second["secret"][-4:]]
    assert [key["hint"] for key in fourth["keys"]] == [fourth["secret"][-4:]]


async def test_its_deliveries_are_listed_and_those_that_never_arrived_replayed(
    world: World,
) -> None:
    async with world.client() as client:
        mine, other = await create(client), await create(client)
        statuses = [
            DeliveryStatus.FAILED,
            DeliveryStatus.DELIVERED,
            DeliveryStatus.DISABLED,
            DeliveryStatus.PENDING,
            DeliveryStatus.FAILED,
        ]
        for number, status in enumerate(statuses):
            made = delivery(number, mine["id"], status)
            world.deliveries.deliveries[made.id] = made
        stray = delivery(9, other["id"], DeliveryStatus.FAILED)
        world.deliveries.deliveries[stray.id] = stray
        page = (await client.get(f"{PATH}/{mine['id']}/deliveries")).json()
        since = (NOW + timedelta(seconds=1)).isoformat()
        answer = await client.post(f"{PATH}/{mine['id']}:replay", json={"since": since})
    assert [each["id"] for each in page["data"]] == [f"msg_{n}" for n in (4, 3, 2, 1, 0)]
    assert {each["endpoint"] for each in page["data"]} == {mine["id"]}
    assert answer.json() == {"deliveries": 2}
    log = world.deliveries.deliveries
    pending = sorted(d.id for d in log.values() if d.status is DeliveryStatus.PENDING)
    assert pending == ["msg_2", "msg_3", "msg_4"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"url": "http://hooks.example.com"}, "/url"),
        ({"url": "https://inside.example.com"}, "/url"),
        ({"url": URL, "events": ["trajectory.queued"]}, "/events/0"),
        ({"url": URL, "events": ["no.such.thing"]}, "/events/0"),
        ({}, "/url"),
    ],
)
async def test_an_endpoint_that_cannot_be_is_refused(
    world: World, body: dict[str, object], pointer: str
) -> None:
    world.addresses["inside.example.com"] = ["10.0.0.1"]
    async with world.client() as client:
        answer = await client.post(PATH, json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_there_are_at_most_twenty(world: World) -> None:
    async with world.client() as client:
        for _ in range(20):
            await create(client)
        answer = await client.post(PATH, json={"url": URL})
    assert answer.status_code == 409


async def test_endpoints_belong_to_their_tenant_and_to_keys_for_webhooks(world: World) -> None:
    async with world.client() as client:
        made = await create(client)
    async with world.client(await world.key("ten_b")) as stranger:
        answers = [
            await stranger.get(f"{PATH}/{made['id']}"),
            await stranger.delete(f"{PATH}/{made['id']}"),
            await stranger.post(f"{PATH}/{made['id']}:rotate"),
        ]
        listed = (await stranger.get(PATH)).json()
    async with world.client(await world.key(scopes=(Scope.READ, Scope.WRITE))) as writer:
        refused = await writer.post(PATH, json={"url": URL})
    async with world.client(await world.key(scopes=(Scope.WEBHOOKS,))) as manager:
        allowed = await manager.get(PATH)
    assert [answer.status_code for answer in answers] == [404] * 3
    assert listed == {"data": []}
    assert (refused.status_code, allowed.status_code) == (403, 200)
