"""The fault harness itself, on a small seeded scenario: it runs, and it can tell broken from whole.

The whole battery is ``make test-faults``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COLUMNS = {"promise", "faults", "trajectories", "lost", "doubled", "stuck", "worst_recovery_s"}


def faults(tmp_path: Path, **settings: str) -> tuple[int, list[dict[str, object]], str]:
    """Exit code, rows and output of one run of the harness."""
    file = tmp_path / "rows.json"
    environment = {**os.environ, "SEED": "7", "JSON": str(file), **settings}
    done = subprocess.run(
        (sys.executable, "-m", "tests.faults"),
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    rows = json.loads(file.read_text()) if file.exists() else []
    return done.returncode, rows, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_worker_killed_at_random_loses_doubles_and_sticks_nothing(tmp_path: Path) -> None:
    code, rows, output = faults(tmp_path, ONLY="smoke")
    assert code == 0, output
    (row,) = rows
    assert set(row) == COLUMNS
    assert row["faults"] == 3
    assert row["trajectories"] == 8
    assert (row["lost"], row["doubled"], row["stuck"]) == (0, 0, 0)


def test_an_unknown_scenario_is_named(tmp_path: Path) -> None:
    code, rows, output = faults(tmp_path, ONLY="no_such_scenario")
    assert code == 2
    assert rows == []
    assert "no_such_scenario" in output
