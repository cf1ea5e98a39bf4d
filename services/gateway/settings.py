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

    max_connections: int = Field(default=2048, ge=16)
    """More are answered 503."""
    max_half_open: int = Field(default=256, ge=1)
    """Connections without a request; of more the oldest is closed."""
    head_timeout_s: float = 10.0
    """For a request's line and headers."""
    stall_timeout_s: float = 10.0
    """For each 5 KiB of a body; six times as long for a client that takes nothing."""
    max_url_bytes: int = 8192
    max_header_bytes: int = 32_768
    """All of a request's headers together."""
    max_headers: int = 100
    key_max_open: int = Field(default=256, ge=1)
    """Per API key: calls, waits and event streams that are open at the same time."""
    max_wait_s: float = Field(default=60.0, gt=0, le=60)
    """For a call that waits for a final state."""
    max_stream_s: float = Field(default=3600.0, gt=0)
    """For one event stream; its client resumes with `Last-Event-ID`."""
    max_answer_s: float = Field(default=600.0, gt=0)
    """For a call of the OpenAI-shaped doors."""

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
