"""The page with the state diagram is what the code draws."""

from __future__ import annotations

from pathlib import Path

from services.orchestrator.machine.statuses import diagram_page

PAGE = Path(__file__).parents[3] / "docs" / "state-machine.md"


def test_the_page_shows_the_transitions_in_the_code() -> None:
    assert PAGE.read_text() == diagram_page(), "run `make diagram`"
