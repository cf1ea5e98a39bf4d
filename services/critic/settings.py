"""The critic service's settings; environment prefix ``CRITIC_``."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from shared.llm.agents import AgentSettings


class CriticSettings(AgentSettings):
    """What the critic service reads from the environment."""

    model_config = SettingsConfigDict(
        env_prefix="CRITIC_", frozen=True, extra="forbid", env_nested_delimiter="__"
    )

    model: str = "Qwen/Qwen3-VL-8B-Instruct"
    """The published critic is a fine-tune of this model."""
    reasks: int = 0
    """An unreadable verdict counts as a failed attempt, which is tried again anyway."""
