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
    Row("no-critic", "planner SFT, no critic (T = 1)", "planner", None, against="planner-sft"),
    Row("critic-sft", "+ critic SFT", "planner", "critic-sft", against="no-critic"),
    Row("critic-rl", "+ critic RL", "planner", "critic-rl", against="critic-sft"),
    Row("rl-no-step", "RL without the step reward", "planner", "critic-no-step",
        against="critic-rl"),
    Row("rl-no-accuracy", "RL without the accuracy reward", "planner", "critic-no-accuracy",
        against="critic-rl"),
    Row("filtered", "more SFT, on filtered data", "planner", "critic-filtered",
        against="critic-sft"),
    Row("unfiltered", "more SFT, on unfiltered data", "planner", "critic-unfiltered",
        against="filtered"),
    Row("one-agent", "one agent doing both", "both", "both", against="pack"),
    Row("judge", "a critic that lists nothing", "planner", "judge", against="no-critic"),
    Row("judge-rl", "the same + RL", "planner", "judge-rl", against="judge"),
    Row("t1", "critic RL, T = 1", "planner", "critic-rl", 1, against="critic-rl"),
    Row("t5", "critic RL, T = 5", "planner", "critic-rl", 5, against="critic-rl"),
    Row("pack", "the pack's critic (longer SFT)", "planner", "critic", against="no-critic"),
    Row("pack-t5", "the pack's critic, T = 5", "planner", "critic", 5, against="pack"),
    Row("pack-rl", "the pack's critic + RL", "planner", "critic-pack-rl", against="pack"),
    Row("exact-critic", "exact critic (what can be won)", "planner", EXACT, against="no-critic"),
    Row("second-alone", "second generator alone", None, None, generator="generator-weak"),
    Row("second-no-critic", "second, no critic (T = 1)", "planner", None,
        generator="generator-weak", against="second-alone"),
    Row("second-sft", "second, critic SFT", "planner", "critic-sft",
        generator="generator-weak", against="second-no-critic"),
    Row("second-rl", "second, critic RL", "planner", "critic-rl",
        generator="generator-weak", against="second-sft"),
    Row("second-t5", "second, critic RL, T = 5", "planner", "critic-rl", 5,
        "generator-weak", "second-rl"),
    Row("second-pack", "second, the pack's critic", "planner", "critic",
        generator="generator-weak", against="second-no-critic"),
    Row("second-pack-t5", "second, the pack's critic, T = 5", "planner", "critic", 5,
        "generator-weak", "second-pack"),
    Row("second-exact", "second, exact critic", "planner", EXACT,
        generator="generator-weak", against="second-no-critic"),
)  # fmt: skip
_STEPS = "interleave data drawn --out STEPS --planner models/sketchbook/planner"
_GRPO = "interleave grpo critic --data STEPS/set --out DIR --here --model"
_RL = f"{_GRPO} models/ablation/critic-sft"
RETRAINED = {
    "untrained": "interleave sketchbook train all (stage base)",
    "judge": "an early state of interleave sketchbook train critic, see models/ablation/README.md",
    "critic-sft": "interleave sketchbook train early --models DIR",
    "critic-rl": f"{_STEPS}, then {_RL}",
    "critic-no-step": f"{_RL} --ablation no-step",
    "critic-no-accuracy": f"{_RL} --ablation no-accuracy",
    "critic-pack-rl": f"{_GRPO} models/sketchbook/critic",
    "judge-rl": f"{_GRPO} models/ablation/judge",
    "critic-filtered": (
        "interleave data make --out DATA --count 240, then interleave sft critic"
        " --data DATA/datasets/critic-sft --model models/ablation/critic-sft --steps 60 --out DIR"
    ),
    "critic-unfiltered": "the same after interleave data sets --out DATA --no-filter",
    "both": "interleave sketchbook train both --models DIR",
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
