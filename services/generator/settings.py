"""The generator service's settings; environment prefix ``GENERATOR_``."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings, StorageSettings


class BackendKind(StrEnum):
    """How pictures are made."""

    DIFFUSERS = "diffusers"
    OPENAI_IMAGES = "openai_images"


class GeneratorSettings(ServiceSettings):
    """What the generator service reads from the environment."""

    model_config = SettingsConfigDict(
        env_prefix="GENERATOR_", frozen=True, extra="forbid", env_nested_delimiter="__"
    )

    storage: StorageSettings = StorageSettings()
    backend: BackendKind = BackendKind.DIFFUSERS
    model: str = "black-forest-labs/FLUX.2-klein-4B"
    """Folder or hub name; for ``openai_images`` the name its server knows. The 4B is the
    default because its licence (Apache-2.0) allows every use; the 9B is non-commercial."""
    name: str = ""
    """Under which callers ask for this generator; empty takes the model's."""

    max_batch: int = Field(default=8, ge=1)
    max_wait_ms: float = Field(default=10.0, ge=0)
    """How long a call waits for company while the model is free."""
    max_waiting: int = Field(default=256, ge=1)
    hang_s: float = 900.0
    """A batch that takes longer makes the service unhealthy."""

    device: str = "auto"
    dtype: str = "auto"
    torch_threads: int | None = None
    """Threads of torch on the CPU; None leaves them as they are."""
    seed_device: str = "cpu"
    """``cpu``: a seed means the same noise on every machine. ``device``: made on the GPU."""
    offload: bool = False

    base_url: str = ""
    """Of an OpenAI-compatible images API, up to and including ``/v1``."""
    api_key: SecretStr = SecretStr("")
    timeout_s: float = 180.0
    parallel_calls: int = Field(default=4, ge=1)
    response_format: str = "b64_json"
    """Sent along; empty for servers that refuse the field."""
    seed_field: str = ""
    """Name under which the images API takes a seed; empty if it takes none."""
    steps_field: str = ""
    guidance_field: str = ""
    edits: bool = True
    max_references: int = Field(default=4, ge=0)
    default_width_px: int = 1024
    default_height_px: int = 1024
    min_side_px: int = 64
    max_side_px: int = 2048
    side_multiple_px: int = 16
    default_steps: int = 4
