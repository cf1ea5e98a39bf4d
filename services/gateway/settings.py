"""Settings of the gateway, read once at start from ``GATEWAY_*``."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from shared.http.guard import UrlPolicy
from shared.settings import ServiceSettings, StorageSettings

_MIB = 1024 * 1024


class GatewaySettings(ServiceSettings):
    """What the gateway needs to know."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    redis_url: str = "redis://127.0.0.1:6379/0"
    storage: StorageSettings = StorageSettings()
    planner_url: str = "http://127.0.0.1:8201"
    generators: dict[str, str] = Field(default={"sketchbook": "http://127.0.0.1:8203"})
    """Name clients ask for -> address of that generator service."""
    default_generator: str = ""
    """Empty: the first of ``generators``."""

    bootstrap_key_file: Path | None = None
    """Where the first API key is written (mode 0600); None: it is printed once."""

    max_body_bytes: int = 48 * _MIB
    max_image_bytes: int = 24 * _MIB
    max_image_pixels: int = 40_000_000
    max_images: int = 16

    fetch_timeout_s: float = 15.0
    """For one image fetched from a caller's URL, redirects included."""
    allow_http_urls: bool = False
    """For tests and one-machine set-ups only."""
    allow_private_urls: bool = False
    """For tests and one-machine set-ups only."""

    requests_per_minute: int = 1200
    """Per API key, all calls."""
    creations_per_minute: int = 240
    """Per API key, calls that make a trajectory."""
    calls_per_day: int | None = None
    """Per API key, unless it has a limit of its own; None: no limit."""
    max_in_flight: int = Field(default=64, ge=1)
    """Trajectories of all keys that are worked on at the same time; the same in the
    orchestrator's settings."""
    key_max_in_flight: int | None = Field(default=48, ge=1)
    """Per API key, unless it has a limit of its own: more of them wait for their turn."""
    key_max_waiting: int | None = Field(default=10_000, ge=0)
    """Per API key, unless it has a limit of its own: more of them are turned away."""
    heartbeat_s: float = 15.0
    """Pause after which an event stream sends a comment."""

    @model_validator(mode="after")
    def _default_generator_exists(self) -> Self:
        if not self.generators:
            raise ValueError("GATEWAY_GENERATORS names no generator")
        if self.default_generator and self.default_generator not in self.generators:
            raise ValueError("GATEWAY_DEFAULT_GENERATOR is not one of GATEWAY_GENERATORS")
        return self

    @property
    def url_policy(self) -> UrlPolicy:
        """What the guard lets through."""
        return UrlPolicy(allow_http=self.allow_http_urls, allow_private=self.allow_private_urls)
