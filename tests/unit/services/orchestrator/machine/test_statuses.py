"""The table of status changes, and the diagram made of it."""

from __future__ import annotations

import pytest

from services.orchestrator.machine.statuses import TRANSITIONS, check_transition, mermaid
from shared.contracts.trajectories import Status
from shared.errors import InternalError


def test_every_status_can_be_reached_and_every_unfinished_one_left() -> None:
    assert {new for _, new in TRANSITIONS} == set(Status) - {Status.QUEUED}
    assert {old for old, _ in TRANSITIONS} == set(Status)


def test_a_change_that_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(InternalError):
        check_transition(Status.SUCCEEDED, Status.CANCELLED)


def test_the_diagram_shows_every_change() -> None:
    diagram = mermaid()
    assert diagram.startswith("stateDiagram-v2\n    [*] --> queued\n")
    assert all(f"{old} --> {new}: {why}" in diagram for (old, new), why in TRANSITIONS.items())
