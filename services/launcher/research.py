"""Commands that belong to the trainer: data, SFT, GRPO and benchmarks, each a process of its own.

The launcher imports no other service, so everything after the command's name goes to the
trainer as it stands. Not here: what these commands do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import typer

from shared.tether import tether

_AS_IT_STANDS = {"allow_extra_args": True, "ignore_unknown_options": True}
COMMANDS = {
    "sketchbook": (
        "services.trainer.sketchbook.cli",
        "Train or evaluate the Sketchbook models: `interleave sketchbook train all`.",
    ),
    "data": (
        "services.trainer.data.cli",
        "Make training data: `interleave data make --preset sketchbook --out DIR`.",
    ),
    "sft": (
        "services.trainer.sft.cli",
        "Fine-tune planner or critic: `interleave sft critic --data DIR --out DIR`.",
    ),
    "grpo": (
        "services.trainer.grpo.cli",
        "Train the critic by single-step RL: `interleave grpo critic --data DIR --out DIR`.",
    ),
    "evaluate": (
        "services.trainer.benchmarks.cli",
        "Run a benchmark: sketchbench, ueval, comm, wise, wise-verified, rise, opening.",
    ),
}
"""The trainer's module behind each command, and what the command is for."""


def add_research(app: typer.Typer) -> None:
    """Give the app every command of the trainer."""
    for name, (module, text) in COMMANDS.items():
        handler = _handler(module)
        app.command(name, help=text, context_settings=_AS_IT_STANDS, add_help_option=False)(handler)


def _handler(module: str) -> Callable[[typer.Context], None]:
    def run(context: typer.Context) -> None:
        command = (sys.executable, "-m", module, *context.args)
        raise typer.Exit(_code(command))

    return run


def _code(command: tuple[str, ...]) -> int:
    """The command's exit code; a Ctrl-C reaches it as well, and it is waited for."""
    # Torch's threads spin while they wait: on a machine with other work, one is much faster.
    environment = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", **os.environ}
    # Work that nobody waits for any more would meet the next try on the same folder.
    end = tether(nice=0, when_parent_dies=signal.SIGTERM)
    with subprocess.Popen(command, env=environment, preexec_fn=end) as process:  # noqa: PLW1509 - forked from the main thread only
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
