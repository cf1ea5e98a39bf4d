"""The model's thread and its health."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from services.generator.model_thread import MAX_FAILURES, ModelThread
from shared.errors import InvalidRequestError, ServiceUnavailableError


def breaks() -> None:
    raise ZeroDivisionError


def dies() -> None:
    raise KeyboardInterrupt


def complains() -> None:
    raise InvalidRequestError("too wide")


@pytest.fixture
def thread() -> Iterator[ModelThread]:
    thread = ModelThread()
    yield thread
    thread.close()


async def test_work_runs_on_the_models_own_thread(thread: ModelThread) -> None:
    assert await thread.call(lambda: threading.current_thread().name) == "model"


async def test_failures_in_a_row_break_the_model_but_a_success_forgives(
    thread: ModelThread,
) -> None:
    for _ in range(MAX_FAILURES - 1):
        with pytest.raises(ServiceUnavailableError):
            await thread.call(breaks)
    await thread.call(lambda: None)
    for _ in range(MAX_FAILURES):
        assert thread.alive
        with pytest.raises(ServiceUnavailableError):
            await thread.call(breaks)
    assert not thread.alive
    with pytest.raises(ServiceUnavailableError, match="restart"):
        await thread.call(lambda: None)


async def test_foreseen_errors_do_not_count(thread: ModelThread) -> None:
    for _ in range(MAX_FAILURES + 1):
        with pytest.raises(InvalidRequestError):
            await thread.call(complains)
    assert thread.alive


async def test_a_dead_thread_is_noticed(thread: ModelThread) -> None:
    with pytest.raises(ServiceUnavailableError):
        await thread.call(dies)
    thread.close()
    assert not thread.alive


async def test_hanging_work_is_noticed() -> None:
    now_s = 0.0
    started, may_end = threading.Event(), threading.Event()

    def hangs() -> None:
        started.set()
        may_end.wait(5)

    thread = ModelThread(hang_s=60, clock=lambda: now_s)
    running = asyncio.create_task(thread.call(hangs))
    await asyncio.to_thread(started.wait, 5)
    now_s = 59.0
    assert thread.alive
    now_s = 61.0
    assert not thread.alive
    may_end.set()
    await running
    thread.close()
    assert not thread.alive
