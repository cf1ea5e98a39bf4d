"""The rows of the table, and where the checkpoints behind them lie.

Not here: measuring them (``measuring``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PACK = Path("models/sketchbook")
VARIANTS = Path("models/ablation")
_OF_THE_PACK = frozenset({"planner", "critic", "generator", "generator-weak"})
_BASE = "untrained"
EXACT = "exact"
"""No checkpoint: the critic that never errs."""


@dataclass(frozen=True, slots=True)
class Row:
    """A system. Agents and generator are names of checkpoints; None: there is no such agent."""

    name: str
    label: str
    planner: str | None
    critic: str | None
    attempts: int = 3
    generator: str = "generator"
    against: str = ""
    """The row that this one is compared with, request by request."""


ROWS = (
    Row("alone", "generator alone", None, None),
    Row("untrained", "untrained agents", _BASE, _BASE, against="alone"),
    Row("planner-sft", "+ planner SFT", "planner", _BASE, against="untrained"),
    Row("no-critic", "planner SFT, no critic", "planner", None, against="planner-sft"),
    Row("critic-sft", "+ critic SFT", "planner", "critic", against="no-critic"),
    Row("sft-t5", "critic SFT, T = 5", "planner", "critic", 5, against="critic-sft"),
    Row("critic-rl", "+ critic RL", "planner", "critic-rl", against="critic-sft"),
    Row("rl-staged", "RL on steps of trajectories", "planner", "critic-rl-staged",
        against="critic-sft"),
    Row("rl-no-step", "RL without the step reward", "planner", "critic-no-step",
        against="critic-rl"),
    Row("rl-no-accuracy", "RL without the accuracy reward", "planner", "critic-no-accuracy",
        against="critic-rl"),
    Row("unfiltered", "critic on unfiltered data", "planner", "critic-unfiltered",
        against="filtered"),
    Row("filtered", "the same on filtered data", "planner", "critic-filtered",
        against="critic-sft"),
    Row("one-agent", "one agent doing both", "both", "both", against="critic-sft"),
    Row("t1", "RL, T = 1", "planner", "critic-rl", 1, against="critic-rl"),
    Row("t5", "RL, T = 5", "planner", "critic-rl", 5, against="critic-rl"),
    Row("exact-critic", "exact critic (what can be won)", "planner", EXACT, against="no-critic"),
    Row("second-alone", "second generator alone", None, None, generator="generator-weak"),
    Row("second-no-critic", "second generator, no critic", "planner", None,
        generator="generator-weak", against="second-alone"),
    Row("second-sft", "second generator, critic SFT", "planner", "critic",
        generator="generator-weak", against="second-no-critic"),
    Row("second-sft-t5", "second generator, critic SFT, T = 5", "planner", "critic", 5,
        "generator-weak", "second-sft"),
    Row("second-rl", "second generator, critic RL", "planner", "critic-rl",
        generator="generator-weak", against="second-sft"),
    Row("second-t5", "second generator, critic RL, T = 5", "planner", "critic-rl", 5,
        "generator-weak", "second-rl"),
    Row("second-exact", "second generator, exact critic", "planner", EXACT,
        generator="generator-weak", against="second-no-critic"),
)  # fmt: skip
RETRAINED = {
    "untrained": "interleave sketchbook train all (stage base)",
    "critic-rl": "interleave grpo critic --data DRAWN --out DIR --here",
    "critic-rl-staged": "the same after interleave data drawn --planner models/sketchbook/planner",
    "critic-no-step": "interleave grpo critic --data DRAWN --out DIR --here --ablation no-step",
    "critic-no-accuracy": (
        "interleave grpo critic --data DRAWN --out DIR --here --ablation no-accuracy"
    ),
    "critic-filtered": "interleave sft critic --data DATA/datasets/critic-sft --out DIR",
    "critic-unfiltered": "the same after interleave data sets --out DATA --no-filter",
    "both": "see docs/experiments.md",
}
"""How a checkpoint that is no part of the pack comes about."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Folders by name: the pack's own, the others beside it."""

    pack: Path = PACK
    variants: Path = VARIANTS

    def folder(self, name: str) -> Path:
        """Where a checkpoint lies, whether it is there or not."""
        return (self.pack if name in _OF_THE_PACK else self.variants) / name

    def missing(self, row: Row) -> list[str]:
        """The row's checkpoints that are not there."""
        named = (row.planner, row.critic, row.generator)
        needed = [each for each in named if each and each != EXACT]
        return [name for name in dict.fromkeys(needed) if not self.folder(name).is_dir()]
