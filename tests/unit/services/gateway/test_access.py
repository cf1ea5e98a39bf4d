"""Keys, bootstrap, body limits, uploads, files and the small endpoints."""

from __future__ import annotations

import stat
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from services.gateway import auth
from services.gateway.bootstrap import ensure_first_key
from services.gateway.rate_limit import OpenCalls, TooManyOpenError
from shared.contracts.webhooks import Delivery, DeliveryStatus
from shared.errors import UnauthenticatedError
from tests.fakes.gateway_stores import InMemoryApiKeyStore, InMemoryTenantStore
from tests.unit.services.gateway.gateway_app import NOW, World, png


async def test_a_key_is_known_until_it_expires_or_is_revoked() -> None:
    store = InMemoryApiKeyStore()
    secret, key = await auth.create_key(store, tenant="ten_a", now=NOW, lifetime=timedelta(hours=1))
    assert (await auth.authenticate(store, secret, now=NOW)).tenant == "ten_a"
    assert secret not in key.model_dump_json()
    with pytest.raises(UnauthenticatedError):
        await auth.authenticate(store, secret, now=NOW + timedelta(hours=1))
    assert await store.end(key.id, at=NOW)
    with pytest.raises(UnauthenticatedError):
        await auth.authenticate(store, secret, now=NOW)


async def test_a_rotated_key_keeps_its_rights_and_the_old_one_ends_after_the_overlap() -> None:
    store, overlap = InMemoryApiKeyStore(), timedelta(hours=2)
    old, key = await auth.create_key(
        store,
        tenant="ten_a",
        now=NOW,
        name="app",
        scopes=(auth.Scope.READ,),
        lifetime=timedelta(days=3),
        limits=auth.KeyLimits(weight=7),
    )
    made = await auth.rotate_key(store, key.id, now=NOW + timedelta(days=1), overlap=overlap)
    assert made is not None
    new, record = made
    same = {"tenant", "name", "scopes", "limits"}
    assert record.model_dump(include=same) == key.model_dump(include=same)
    assert record.expires_at == NOW + timedelta(days=4)
    for secret in (old, new):
        await auth.authenticate(store, secret, now=NOW + timedelta(days=1))
    with pytest.raises(UnauthenticatedError):
        await auth.authenticate(store, old, now=NOW + timedelta(days=1) + overlap)
    assert await auth.rotate_key(store, "key_x", now=NOW, overlap=overlap) is None


def test_a_key_s_open_calls_are_counted_up_and_down() -> None:
    calls = OpenCalls()
    for key, most in (("a", 2), ("a", 2), ("b", 1)):
        calls.enter(key, most=most)
    with pytest.raises(TooManyOpenError, match="2 calls"):
        calls.enter("a", most=2)
    calls.leave("a")
    calls.enter("a", most=2)


@pytest.mark.parametrize("secret", [None, "", "il_", "il_" + "!" * 43, "x" * 5000])
async def test_what_is_no_key_is_never_looked_up(secret: str | None) -> None:
    with pytest.raises(UnauthenticatedError):
        await auth.authenticate(InMemoryApiKeyStore(), secret, now=NOW)


async def test_the_first_key_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    keys, tenants = InMemoryApiKeyStore(), InMemoryTenantStore()
    for _ in range(2):
        await ensure_first_key(keys, tenants, key_file=None, now=NOW)
    printed = capsys.readouterr().out
    secret = printed.split()[-1]
    key = await auth.authenticate(keys, secret, now=NOW)
    assert printed.count("il_") == 1
    assert (tenants.webhook_secret(key.tenant) or "").startswith("whsec_")


async def test_the_key_file_is_private_and_outlives_lost_records(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "first"
    keys, tenants = InMemoryApiKeyStore(), InMemoryTenantStore()
    await ensure_first_key(keys, tenants, key_file=path, now=NOW)
    secret = path.read_text().strip()
    first = await auth.authenticate(keys, secret, now=NOW)
    webhook_secret = tenants.webhook_secret(first.tenant)
    keys, tenants = InMemoryApiKeyStore(), InMemoryTenantStore()
    await ensure_first_key(keys, tenants, key_file=path, now=NOW)
    again = await auth.authenticate(keys, secret, now=NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert again.tenant == first.tenant
    assert tenants.webhook_secret(again.tenant) == webhook_secret


async def test_an_upload_comes_raw_or_as_a_form_and_is_kept_once(world: World) -> None:
    async with world.client() as client:
        raw = await client.post("/v1/uploads", content=png())
        form = await client.post("/v1/uploads", files={"file": ("a.png", png())})
        none = await client.post("/v1/uploads", files={"picture": ("a.png", png())})
        text = await client.post("/v1/uploads", content=b"hello")
    assert (raw.status_code, form.status_code) == (201, 201)
    assert raw.json() == form.json()
    assert none.json()["errors"][0]["pointer"] == "/file"
    assert text.status_code == 415


async def test_a_file_is_cached_by_its_hash(world: World) -> None:
    async with world.client() as client:
        uploaded = (await client.post("/v1/uploads", content=png())).json()
        first = await client.get(uploaded["url"])
        again = await client.get(uploaded["url"], headers={"If-None-Match": first.headers["etag"]})
    assert first.headers["etag"] == f'"{uploaded["sha256"]}"'
    assert "immutable" in first.headers["cache-control"]
    assert (again.status_code, again.content) == (304, b"")


async def test_a_reachable_bucket_is_linked_to(world: World) -> None:
    storage = world.settings.storage.model_copy(update={"public_endpoint": "s3.example"})
    world.settings = world.settings.model_copy(update={"storage": storage})
    async with world.client() as client:
        uploaded = (await client.post("/v1/uploads", content=png())).json()
        answer = await client.get(uploaded["url"])
    assert answer.status_code == 307
    assert answer.headers["location"].endswith("?expires=60")


async def test_a_large_body_is_refused_announced_or_chunked(world: World) -> None:
    world.settings = world.settings.model_copy(update={"max_body_bytes": 1000})

    async def chunks() -> AsyncGenerator[bytes]:
        for _ in range(100):
            yield b"x" * 100

    async with world.client() as client:
        announced = await client.post("/v1/trajectories", content=b"x" * 2000)
        chunked = await client.post("/v1/trajectories", content=chunks())
        upload = await client.post("/v1/uploads", content=chunks())
    for answer in (announced, chunked, upload):
        assert answer.status_code == 413
        assert answer.json()["type"] == "urn:interleave:problem:too_large"


async def test_generators_tell_sizes_and_who_is_away(world: World) -> None:
    world.generators["large"].away = True
    async with world.client() as client:
        found = (await client.get("/v1/generators")).json()
    sketchbook, large = found["data"]
    assert (sketchbook["available"], sketchbook["default"]) == (True, True)
    assert sketchbook["info"]["default_width_px"] == 64
    assert (large["available"], large["info"]) == (False, None)
    assert {profile["name"] for profile in found["profiles"]} >= {"default", "paper"}


async def test_an_estimate_gives_seconds_once_every_kind_of_call_was_measured(
    world: World,
) -> None:
    world.durations.seconds["plan"] = [2.0]
    world.durations.seconds["generate:sketchbook"] = [1.0, 3.0, 90.0]
    async with world.client() as client:
        body = {"prompt": "a seed", "steps": 2, "max_attempts": 2}
        before = (await client.post("/v1/trajectories:estimate", json=body)).json()
        world.durations.seconds["critique"] = [0.5]
        after = (await client.post("/v1/trajectories:estimate", json=body)).json()
        fast = await client.post(
            "/v1/trajectories:estimate", json={"prompt": "a", "profile": "fast"}
        )
    assert (before["seconds"], before["note"]) == (None, "No measurement yet of: critique.")
    assert after["note"] is None
    assert after["seconds"] == {"least": 9.0, "expected": 11.8, "most": 16.0}
    assert after["measured"][1] == {"kind": "generate:sketchbook", "median_s": 3.0, "calls": 3}
    assert [each["kind"] for each in fast.json()["measured"]] == ["plan", "generate:sketchbook"]


async def test_an_estimate_starts_nothing(world: World) -> None:
    async with world.client() as client:
        body = {"prompt": "x", "steps": 4, "max_generator_calls": 10}
        answer = (await client.post("/v1/trajectories:estimate", json=body)).json()
    assert answer["generator_calls"] == {"least": 4, "expected": 5.6, "most": 10}
    assert world.dispatcher.sent == []


async def test_health_docs_and_studio_need_no_key(world: World) -> None:
    async with world.client() as client:
        client.headers.pop("authorization")
        answers = [
            await client.get(path)
            for path in ("/", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json")
        ]
        unknown = await client.get("/v1/nothing")
        method = await client.put("/v1/trajectories")
    assert {answer.status_code for answer in answers} == {200}
    assert "default-src 'none'" in answers[0].headers["content-security-policy"]
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert (method.status_code, method.json()["code"]) == (405, "method_not_allowed")


async def test_deliveries_are_listed_and_replayed_by_their_owner_only(world: World) -> None:
    delivery = Delivery(
        id="msg_1",
        tenant="ten_a",
        trajectory_id="trj_1",
        sequence=9,
        event="trajectory.succeeded",
        url="https://example.com/hook",
        body="{}",
        created_at=NOW,
        status=DeliveryStatus.FAILED,
    )
    world.deliveries.deliveries[delivery.id] = delivery
    async with world.client() as client:
        listed = (await client.get("/v1/webhooks/deliveries")).json()
        replayed = await client.post("/v1/webhooks/deliveries/msg_1:replay")
        again = await client.post("/v1/webhooks/deliveries/msg_1:replay")
    async with world.client(await world.key("ten_b")) as other:
        hidden = (await other.get("/v1/webhooks/deliveries")).json()
        refused = await other.post("/v1/webhooks/deliveries/msg_1:replay")
    assert [item["status"] for item in listed["data"]] == ["failed"]
    assert (replayed.status_code, replayed.json()["status"]) == (202, "pending")
    assert (again.status_code, refused.status_code) == (409, 404)
    assert hidden["data"] == []


async def test_the_signing_secret_is_for_administrators(world: World) -> None:
    world.tenants.ensure("ten_a", webhook_secret="whsec_x")
    reader = await world.key(scopes=(auth.Scope.READ,))
    async with world.client() as client:
        shown = await client.get("/v1/webhooks/secret")
    async with world.client(reader) as client:
        refused = await client.get("/v1/webhooks/secret")
    assert shown.json() == {"secret": "whsec_x"}
    assert refused.status_code == 403
