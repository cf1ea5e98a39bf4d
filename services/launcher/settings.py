"""Settings of the launcher: where things lie and how many workers run."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings

REPOSITORY = Path(__file__).resolve().parents[2]


class LauncherSettings(ServiceSettings):
    """What a person may want to change about the local stack."""

    model_config = SettingsConfigDict(env_prefix="LAUNCHER_", frozen=True, extra="forbid")

    data: Path = Path(".interleave")
    """Folder of everything that is kept between starts."""
    port: int = Field(default=8080, ge=0, le=65535)
    """Port of the gateway; 0 takes any free one."""
    models: Path = REPOSITORY / "models" / "sketchbook"
    """Model pack: a folder with ``planner``, ``critic`` and ``generator`` in it."""
    ready_timeout_s: float = Field(default=180.0, gt=0)
    """How long the stack may take to become ready before ``up`` gives up."""
