"""What a training run tells: a line of JSON per log, and a line on the screen with the time left.

Not here: what is measured.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

_SHOWN = ("loss", "reward", "entropy", "learning_rate")
_MINUTE_S = 60.0
_SUM = "train_runtime"
"""Tells the trainer's last line from the others."""


class MetricsFile(TrainerCallback):
    """Appends every log of the trainer to a file; only the first rank writes."""

    def __init__(self, path: Path, console: Console) -> None:
        self._path = path
        self._console = console
        self._began: tuple[float, int] | None = None

    def on_log(
        self,
        args: TrainingArguments,  # noqa: ARG002 - the trainer's signature
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        logs: dict[str, Any] | None = None,
        **_: object,
    ) -> None:
        """Keep and show a log."""
        if not state.is_world_process_zero or not logs:
            return
        write_metrics(self._path, {"step": state.global_step, **logs})
        now = time.monotonic()
        self._began = self._began or (now, state.global_step)
        self._console.print(told(state, logs, self._began, now), highlight=False)


def write_metrics(path: Path, values: dict[str, Any]) -> None:
    """Append one line; what is no finite number is left out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {k: v for k, v in values.items() if not isinstance(v, float) or math.isfinite(v)}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(kept) + "\n")


def forget_after(path: Path, step: int | None) -> None:
    """Drop the lines of steps that are done once more; None: of all of them.

    A line that was cut, and the sum of a run that had ended, go as well.
    """
    if not path.exists():
        return
    lines = path.read_text("utf-8", errors="replace").splitlines(keepends=True)
    kept = [] if step is None else [line for line in lines if _stays(line, step)]
    part = path.with_name(f"{path.name}.part")
    part.write_text("".join(kept), "utf-8")
    part.replace(path)


def _stays(line: str, step: int) -> bool:
    try:
        values = json.loads(line)
    except ValueError:
        return False
    return values.get("step", 0) <= step and _SUM not in values


def told(state: TrainerState, logs: dict[str, Any], began: tuple[float, int], now: float) -> str:
    """A line on how far the run is and what is to come."""
    parts = [f"step {state.global_step}/{state.max_steps}"]
    parts += [f"{name} {float(logs[name]):.4g}" for name in _SHOWN if name in logs]
    done, left = state.global_step - began[1], state.max_steps - state.global_step
    if done > 0 and left > 0:
        parts.append(f"{(now - began[0]) / done * left / _MINUTE_S:.1f} min to come")
    return ", ".join(parts)
