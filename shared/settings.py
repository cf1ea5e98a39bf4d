"""The base of every service's settings, and the parts that several services share.

A service subclasses ``ServiceSettings`` with its own prefix; variables of the prefix that no
field knows are refused, so that a misspelt setting never passes silently.
"""

from __future__ import annotations

import os
from typing import Self

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class StorageSettings(BaseModel):
    """How to reach the S3 server. Environment: ``<PREFIX>_STORAGE__ENDPOINT`` and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: str = "127.0.0.1:9000"
    access_key: str = "interleave"
    secret_key: SecretStr = SecretStr("interleave-secret")
    bucket: str = "interleave"
    region: str = "us-east-1"
    secure: bool = False
    public_endpoint: str | None = None
    """Host clients can reach, for presigned links; None: files are streamed by the gateway."""


class ServiceSettings(BaseSettings):
    """Frozen settings read once from the environment."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_nested_delimiter="__")

    log_format: str = "json"
    """``json`` or ``console``."""
    log_level: str = "INFO"

    @model_validator(mode="after")
    def _refuse_unknown_variables(self) -> Self:
        prefix = str(self.model_config.get("env_prefix", "")).upper()
        known = {f"{prefix}{name}".upper() for name in type(self).model_fields}
        unknown = [
            name
            for name in os.environ
            if prefix and name.upper().startswith(prefix)
            and name.upper().split("__")[0] not in known
        ]  # fmt: skip
        if unknown:
            message = f"unknown settings: {', '.join(sorted(unknown))}; see .env.example"
            raise ValueError(message)
        return self
