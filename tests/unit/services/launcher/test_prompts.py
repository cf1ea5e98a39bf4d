"""``interleave prompts import``."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from services.launcher.cli import app
from shared.prompts.pack import load_pack

SOURCE = """
PLANNER_NARRATIVE = "Plan a story."
PLANNER_GUIDANCE = "Plan from pictures."
CRITIC_SYSTEM = "Judge the picture."
"""


def test_a_file_of_constants_becomes_a_pack_that_loads(tmp_path: Path) -> None:
    source, target = tmp_path / "mine.py", tmp_path / "mine.toml"
    source.write_text(SOURCE)
    done = CliRunner().invoke(app, ["prompts", "import", str(source), "--out", str(target)])
    assert done.exit_code == 0, done.output
    pack = load_pack(str(target))
    assert pack.critic.system == "Judge the picture."
    assert pack.planner.narrative_system == "Plan a story."


def test_a_file_without_prompts_is_refused_in_words(tmp_path: Path) -> None:
    source = tmp_path / "empty.py"
    source.write_text("X = 1\n")
    done = CliRunner().invoke(app, ["prompts", "import", str(source)])
    assert done.exit_code == 1
    assert "no constant found" in done.output.replace("\n", " ")
