"""Keys made later than the first one outlive a state store that lost everything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest
import redis
from typer.testing import CliRunner

from services.gateway.__main__ import app as administration
from services.gateway.app import build_app
from services.gateway.settings import GatewaySettings
from services.gateway.wiring import open_parts
from shared.contracts.plans import PlanCheckResult
from tests.integration.gateway.model_services import Answers, model_services
from tests.servers import S3Server, running_valkey


@pytest.fixture
def settings(s3: S3Server, tmp_path: Path) -> Generator[GatewaySettings]:
    """With a Valkey server of its own, because it is wiped."""
    with (
        running_valkey(tmp_path / "valkey") as valkey,
        model_services(Answers(PlanCheckResult(ok=True))) as url,
    ):
        yield GatewaySettings(
            redis_url=valkey.url,
            storage=s3.storage,
            planner_url=url,
            generators={"sketchbook": url},
            bootstrap_key_file=tmp_path / "key",
        )


def made_key(settings: GatewaySettings, *arguments: str) -> str:
    """A key made by the command that administrators use."""
    secret = settings.storage.secret_key.get_secret_value()
    environment = {
        "GATEWAY_REDIS_URL": settings.redis_url,
        "GATEWAY_STORAGE__ENDPOINT": settings.storage.endpoint,
        "GATEWAY_STORAGE__SECRET_KEY": secret,
    }
    result = CliRunner().invoke(administration, ["keys", "create", *arguments], env=environment)
    assert result.exit_code == 0, result.output
    return result.output.strip().splitlines()[-1]


async def test_later_keys_and_their_tenants_survive_a_wipe(settings: GatewaySettings) -> None:
    app = build_app(settings, open_parts)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://g") as client,
    ):
        keys = [
            await asyncio.to_thread(made_key, settings, *arguments)
            for arguments in (("--name", "later"), ("--new-tenant",))
        ]
        with redis.Redis.from_url(settings.redis_url) as connection:
            before = [await secret_of(client, key) for key in keys]
            connection.flushall()
        after = [await secret_of(client, key) for key in keys]
        unknown = await client.get("/v1/models", headers=bearer("il_" + "x" * 43))
    assert before == after
    assert before[0] != before[1]
    assert unknown.status_code == 401


async def secret_of(client: httpx.AsyncClient, key: str) -> str:
    answer = await client.get("/v1/webhooks/secret", headers=bearer(key))
    assert answer.status_code == 200, answer.text
    return str(json.loads(answer.text)["secret"])


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
