"""A cell tells an end from a death, and dies with whoever holds its other side."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from services.orchestrator.cells import Cell, Cells, End

_SERVES = """
import os, sys, time
from services.orchestrator.solitary import Requests, claim_output, serve

def carry_out(trajectory_id, command_id):
    if trajectory_id == "deadly":
        os._exit(1)
    if trajectory_id == "failing":
        raise ZeroDivisionError
    if trajectory_id == "endless":
        time.sleep(60)
    return trajectory_id != "unfinished"

serve(Requests(sys.stdin.fileno()), claim_output(), carry_out)
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


def test_a_death_is_seen_and_the_next_command_finds_the_cell_ready(cells: Cells) -> None:
    assert cells.carry_out("deadly", "c", never) is End.DIED
    assert cells.carry_out("failing", "c", never) is End.DIED
    assert cells.carry_out("fine", "c", never) is End.ENDED


def test_a_cell_that_is_killed_as_a_whole_blames_nobody() -> None:
    cell = Cell(_COMMAND)
    killer = threading.Timer(2.0, lambda: os.killpg(cell.pid, signal.SIGKILL))
    killer.start()
    assert cell.carry_out("endless c", never) is End.UNFINISHED
    cell.kill()


def test_a_fork_ends_when_the_worker_is_gone() -> None:
    cell = Cell(_COMMAND)
    waiting = threading.Thread(target=cell.carry_out, args=("endless c", never))
    waiting.start()
    forks: list[psutil.Process] = []
    give_up_at = time.monotonic() + 20
    while not forks and time.monotonic() < give_up_at:
        time.sleep(0.05)
        forks = psutil.Process(cell.pid).children()
    (fork,) = forks
    cell.hang_up()  # what the end of the worker does
    waiting.join(10)
    fork.wait(10)
    assert not fork.is_running()


def test_a_cancelled_command_ends_with_its_process_and_is_not_blamed() -> None:
    cell = Cell(_COMMAND)
    assert cell.carry_out("endless c", after(0.5)) is End.UNFINISHED
    assert not cell.alive


def test_a_cell_that_cannot_start_blames_nobody() -> None:
    cells = Cells((sys.executable, "-c", "raise SystemExit(1)"))
    assert cells.carry_out("fine", "c", never) is End.UNFINISHED
