"""Turns between API keys, and limits on the key: through HTTP, on in-memory parts."""

from __future__ import annotations

from services.gateway.auth import KeyLimits, create_key
from services.gateway.settings import GatewaySettings
from tests.unit.services.gateway.gateway_app import NOW, World

PROMPT = {"prompt": "a seed"}


async def key_with(world: World, **limits: int) -> str:
    secret, _ = await create_key(
        world.keys, tenant="ten_a", now=NOW, limits=KeyLimits.model_validate(limits)
    )
    return secret


async def test_more_than_the_keys_limit_wait_unsent_and_too_many_are_turned_away() -> None:
    world = World(settings=GatewaySettings(max_in_flight=9))
    secret = await key_with(world, max_in_flight=2, max_waiting=1)
    async with world.client(secret) as client:
        answers = [await client.post("/v1/trajectories", json=PROMPT) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert answers[3].headers["retry-after"] == "30"
    assert answers[3].headers["content-type"] == "application/problem+json"
    sent = [trajectory_id for trajectory_id, _ in world.dispatcher.sent]
    assert sent == [answer.json()["id"] for answer in answers[:2]]
    assert answers[2].json()["status"] == "queued"


async def test_the_lane_is_shown_and_kept(world: World) -> None:
    async with world.client() as client:
        answer = await client.post("/v1/trajectories", json={**PROMPT, "priority": "batch"})
    assert answer.json()["priority"] == "batch"


async def test_calls_beyond_the_days_limit_are_turned_away(world: World) -> None:
    async with world.client(await key_with(world, calls_per_day=2)) as client:
        answers = [await client.get("/v1/models") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) == 86_400
