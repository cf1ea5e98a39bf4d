"""What is written down about settings agrees with the settings classes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from services.critic.settings import CriticSettings
from services.gateway.settings import GatewaySettings
from services.generator.settings import GeneratorSettings
from services.launcher.settings import LauncherSettings
from services.orchestrator.settings import OrchestratorSettings
from services.planner.settings import PlannerSettings
from shared.settings import ServiceSettings

ROOT = Path(__file__).parents[3]
SERVICES: tuple[type[ServiceSettings], ...] = (
    GatewaySettings,
    OrchestratorSettings,
    PlannerSettings,
    CriticSettings,
    GeneratorSettings,
    LauncherSettings,
)
PREFIXES = tuple(str(each.model_config.get("env_prefix")) for each in SERVICES)


def names_of(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            yield from names_of(type(default), f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"


def known_names() -> set[str]:
    pairs = zip(SERVICES, PREFIXES, strict=True)
    return {name for service, prefix in pairs for name in names_of(service, prefix)}


def listed_names() -> set[str]:
    text = (ROOT / ".env.example").read_text()
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text, re.MULTILINE))


def test_the_example_file_lists_exactly_the_settings_there_are() -> None:
    listed = {name for name in listed_names() if name.startswith(PREFIXES)}
    assert listed == known_names()


def test_the_example_file_lists_what_the_compose_file_reads() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    read = set(re.findall(r"\$\{([A-Z_0-9]+)", compose))
    assert read
    assert read <= listed_names()


def compose_environments() -> dict[str, dict[str, str]]:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return {name: dict(each.get("environment", {})) for name, each in services.items()}


def kubernetes_variables() -> set[str]:
    folder = ROOT / "deploy" / "kubernetes" / "base"
    text = "".join(path.read_text() for path in folder.glob("*.yaml"))
    return set(re.findall(r"\b(?:name: |- )([A-Z]+_[A-Z0-9_]+)\b", text))


@pytest.mark.parametrize("name", sorted(compose_environments()))
def test_the_compose_file_sets_only_settings_that_exist(name: str) -> None:
    ours = {key for key in compose_environments()[name] if key.startswith(PREFIXES)}
    assert ours <= known_names()


def test_every_service_of_ours_is_in_the_compose_file() -> None:
    set_up = {key for each in compose_environments().values() for key in each}
    for prefix in PREFIXES[:-1]:
        assert any(name.startswith(prefix) for name in set_up)


def test_the_kubernetes_manifests_set_only_settings_that_exist() -> None:
    ours = {name for name in kubernetes_variables() if name.startswith(PREFIXES)}
    assert len(ours) > len(PREFIXES)
    assert ours <= known_names()


def test_model_services_have_no_way_out_of_the_compose_networks() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    closed = {name for name, each in compose["networks"].items() if each.get("internal")}
    for name in ("planner", "critic", "generator", "planner-vllm", "critic-vllm", "redis", "minio"):
        assert set(compose["services"][name]["networks"]) <= closed
