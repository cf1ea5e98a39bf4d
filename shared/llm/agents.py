"""What planner and critic have alike: their settings and how these become an engine."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr

from shared.llm.engine import ChatEngine
from shared.llm.late import LateEngine
from shared.llm.openai_chat import OpenAIChatEngine, OpenAISettings
from shared.settings import ServiceSettings, StorageSettings

_HASHED_BYTES = 256 * 1024 * 1024
"""Larger weights are not read twice at start: their revision has to be said."""
_VERSION_CHARACTERS = 12


class EngineKind(StrEnum):
    """Where the model runs."""

    QWEN3_VL = "qwen3_vl"
    """In this process, with transformers."""
    OPENAI = "openai"
    """On a chat server, such as vLLM."""


class AgentSettings(ServiceSettings):
    """What both agents read from the environment, each under its own prefix."""

    storage: StorageSettings = StorageSettings()
    engine: EngineKind = EngineKind.QWEN3_VL
    model: str
    """Folder or hub name; for ``openai`` the name the server knows."""
    revision: str = ""
    """Which version of the model this is, for manifests; empty: a small folder's own hash."""
    pack: str = "interleave"
    """Prompt pack: a name that comes with the project, or a TOML file."""
    base_url: str = ""
    """Of the chat server, up to and including ``/v1``."""
    api_key: SecretStr = SecretStr("")
    silence_timeout_s: float = 120.0
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """More fields for the chat server, as JSON, such as vLLM's ``structured_outputs``."""
    device: str = "auto"
    dtype: str = "auto"
    torch_threads: int | None = None
    """Threads of torch on the CPU; None leaves them as they are."""
    reasks: int = 1
    """How often an answer that cannot be used is asked for again."""
    reask_temperature: float = 0.7


def late_engine(settings: AgentSettings) -> LateEngine:
    """The engine the settings name; ``load`` makes it usable."""
    return LateEngine(lambda: _engine(settings), name=_public_name(settings.model))


def model_version(settings: AgentSettings) -> str:
    """Which version of the model answers; empty when nobody said and it cannot be told."""
    weights = Path(settings.model) / "model.safetensors"
    if settings.revision or not weights.is_file():
        return settings.revision
    if weights.stat().st_size > _HASHED_BYTES:
        return ""
    return hashlib.sha256(weights.read_bytes()).hexdigest()[:_VERSION_CHARACTERS]


def _engine(settings: AgentSettings) -> ChatEngine:
    if settings.engine is EngineKind.OPENAI:
        return OpenAIChatEngine(
            OpenAISettings(
                base_url=settings.base_url,
                model=settings.model,
                api_key=settings.api_key.get_secret_value(),
                silence_timeout_s=settings.silence_timeout_s,
                extra_body=settings.extra_body,
            )
        )
    # Only here: torch takes seconds to load, and a served model needs none of it.
    import torch  # noqa: PLC0415

    from shared.llm.qwen3_vl import Qwen3VLEngine  # noqa: PLC0415

    if settings.torch_threads is not None:
        torch.set_num_threads(settings.torch_threads)
    return Qwen3VLEngine(settings.model, device=settings.device, dtype=settings.dtype)


def _public_name(model: str) -> str:
    """Folders are called by their last part: paths are nobody's business."""
    return Path(model).name if Path(model).is_dir() else model
