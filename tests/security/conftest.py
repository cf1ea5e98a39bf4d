"""A wall around everything here, and a gateway with settings that tests can wait for."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from pathlib import Path

import pytest

from services.gateway.settings import GatewaySettings
from services.gateway.wiring import open_parts
from shared.contracts.plans import PlanCheckResult
from tests.integration.gateway.model_services import Answers, model_services
from tests.security.gateway import Gateway, served
from tests.security.walls import Wall
from tests.servers import S3Server, ValkeyServer

PUBLIC_ADDRESS = "93.184.215.14"


@pytest.fixture(scope="session")
def wall() -> Wall:
    """The one wall of this process."""
    return Wall()


@pytest.fixture(autouse=True)
def behind_the_wall(wall: Wall) -> Generator[None]:
    """Every test here runs behind it; touching it without saying so is a failure."""
    wall.hits.clear()
    with wall.standing_up():
        yield
    assert wall.hits == []


@pytest.fixture(scope="module")
def settings(
    valkey: ValkeyServer, s3: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Generator[GatewaySettings]:
    """Of a gateway with real stores and model services that only answer questions."""
    with model_services(Answers(PlanCheckResult(ok=True))) as url:
        yield GatewaySettings(
            redis_url=valkey.url,
            storage=s3.storage,
            planner_url=url,
            generators={"sketchbook": url},
            bootstrap_key_file=_key_file(tmp_path_factory),
            requests_per_minute=1_000_000,
            creations_per_minute=1_000_000,
        )


@pytest.fixture(scope="module")
def gateway(settings: GatewaySettings) -> Generator[Gateway]:
    """It resolves every name to a public address, and so never gets anywhere."""
    with served(
        settings, partial(open_parts, resolver=lambda _host, _port: [PUBLIC_ADDRESS])
    ) as it:
        yield it


def _key_file(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("keys") / "key"
