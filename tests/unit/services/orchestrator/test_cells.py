"""A cell tells an end from a death, and dies with whoever holds its other side."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import pytest

from services.orchestrator.cells import Cell, Cells, End

_SERVES = """
import os, sys
for line in sys.stdin:
    name = line.split()[0]
    if name == "early":
        os._exit(1)
    print("begun", flush=True)
    if name == "deadly":
        os._exit(1)
    if name == "endless":
        import time; time.sleep(60)
    print("unfinished" if name == "unfinished" else "ended", flush=True)
"""
_COMMAND = (sys.executable, "-c", _SERVES)


@pytest.fixture
def cells() -> Iterator[Cells]:
    made = Cells(_COMMAND)
    yield made
    made.close()


def never() -> bool:
    return False


def after(seconds: float) -> Callable[[], bool]:
    began = time.monotonic()
    return lambda: time.monotonic() - began > seconds


def test_a_cell_says_what_came_of_each_command_and_serves_on(cells: Cells) -> None:
    assert cells.carry_out("fine", "c", never) is End.ENDED
    assert cells.carry_out("unfinished", "c", never) is End.UNFINISHED
    assert cells.carry_out("fine", "c", never) is End.ENDED


def test_a_death_is_the_commands_doing_only_once_it_is_begun(cells: Cells) -> None:
    assert cells.carry_out("deadly", "c", never) is End.DIED
    assert cells.carry_out("early", "c", never) is End.UNFINISHED
    assert cells.carry_out("fine", "c", never) is End.ENDED


def test_a_cancelled_command_ends_with_its_process_and_is_not_blamed() -> None:
    cell = Cell(_COMMAND)
    assert cell.carry_out("endless c", after(0.5)) is End.UNFINISHED
    assert not cell.alive


def test_a_cell_that_cannot_start_blames_nobody() -> None:
    cells = Cells((sys.executable, "-c", "raise SystemExit(1)"))
    assert cells.carry_out("fine", "c", never) is End.UNFINISHED
