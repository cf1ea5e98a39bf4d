"""``SEED=1 SOAK_MINUTES=0 JSON=FILE ONLY=scenario python -m tests.faults``."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from shared.telemetry.logging import configure_logging
from tests.faults.battery import SCENARIOS, SMALL, run_one
from tests.faults.report import added, kept, table, write_json
from tests.faults.trial import Outcome
from tests.faults.world import World, running_world


def main() -> int:
    """Run the battery; 0 if every promise was attacked and kept."""
    seed = int(os.environ.get("SEED") or 1)
    soak_s = 60 * float(os.environ.get("SOAK_MINUTES") or 0)
    names = [name for name in (os.environ.get("ONLY") or "").split(",") if name] or list(SCENARIOS)
    known = [*SCENARIOS, *SMALL]
    if unknown := [name for name in names if name not in known]:
        print(f"No scenario {', '.join(unknown)}; there are {', '.join(known)}.")
        return 2
    configure_logging(level="WARNING", output="console", service="faults")
    folder = tempfile.mkdtemp(prefix="interleave-faults-")
    with running_world(Path(folder)) as world:
        outcomes = [_run(world, name, seed) for name in names]
        outcomes += _soak(world, names, seed=seed, until_s=time.monotonic() + soak_s)
    rows = added(outcomes)
    print(table(rows))
    if file := os.environ.get("JSON"):
        write_json(rows, Path(file))
    print(f"Logs of all processes: {folder}")
    return 0 if kept(rows) else 1


def _run(world: World, name: str, seed: int) -> Outcome:
    return asyncio.run(run_one(world, name, seed=seed, tell=_tell))


def _soak(world: World, names: list[str], *, seed: int, until_s: float) -> list[Outcome]:
    """Random scenarios with new seeds until time is up."""
    rng = random.Random(seed)
    outcomes: list[Outcome] = []
    while time.monotonic() < until_s:
        seed += 1
        outcomes.append(_run(world, rng.choice(names), seed))
    return outcomes


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
