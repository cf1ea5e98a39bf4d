"""The planner service's settings; environment prefix ``PLANNER_``."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.llm.agents import AgentSettings


class ReaskStyle(StrEnum):
    """How an unusable plan is asked for again."""

    EXPLAIN = "explain"
    """Tell the model what was wrong."""
    RESAMPLE = "resample"
    """Ask the same again with another seed and some temperature: for small models that have
    never seen a conversation."""


class PlannerSettings(AgentSettings):
    """What the planner service reads from the environment."""

    model_config = SettingsConfigDict(
        env_prefix="PLANNER_", frozen=True, extra="forbid", env_nested_delimiter="__"
    )

    model: str = "Qwen/Qwen3-VL-8B-Instruct"
    """The published planner is a fine-tune of this model."""
    reask_style: ReaskStyle = ReaskStyle.EXPLAIN
    max_images: int = Field(default=16, ge=0)
