"""The one thread that a model lives on, and whether it still does its work."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar, cast

import structlog

from shared.errors import InterleaveError, ServiceUnavailableError

Result = TypeVar("Result")

MAX_FAILURES: Final = 3
"""So many unexpected errors in a row, and the model counts as broken."""
_log = structlog.get_logger(__name__)


class WorkStoppedError(ServiceUnavailableError):
    """The work noticed that nobody wants its result any more."""

    code = "work_stopped"
    title = "The work was stopped"


class ModelThread:
    """Runs functions one after the other on a thread of its own.

    Health is a state machine: alive until the thread ends, a piece of work hangs longer than
    ``hang_s``, or ``MAX_FAILURES`` pieces in a row fail in a way nobody foresaw.
    """

    def __init__(
        self, *, hang_s: float = 900.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._clock = clock
        self._hang_s = hang_s
        self._busy_since_s: float | None = None
        self._failures = 0
        self._dead = False
        self._thread = threading.Thread(target=self._loop, name="model", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether further work has a chance."""
        busy_since_s = self._busy_since_s
        hangs = busy_since_s is not None and self._clock() - busy_since_s > self._hang_s
        works = self._thread.is_alive() and not self._dead
        return works and self._failures < MAX_FAILURES and not hangs

    async def call(self, function: Callable[[], Result]) -> Result:
        """What ``function`` gives, run on the thread.

        Raises:
            ServiceUnavailableError: if the thread is not alive, or the function failed in an
                unforeseen way.
        """
        if not self.alive:
            raise ServiceUnavailableError("The model of this service is broken; restart it.")
        done: Future[Result] = Future()
        self._work.put(lambda: self._perform(function, done))
        return await asyncio.wrap_future(done)

    def close(self, *, timeout_s: float = 5.0) -> None:
        """End the thread after the work at hand."""
        self._work.put(None)
        self._thread.join(timeout_s)

    def _loop(self) -> None:
        while (piece := self._work.get()) is not None:
            piece()
            if self._dead:
                return

    def _perform(self, function: Callable[[], Result], done: Future[Result]) -> None:
        if not done.set_running_or_notify_cancel():
            return
        self._busy_since_s = self._clock()
        result, error = self._attempt(function)
        self._busy_since_s = None
        # Health is settled before anybody hears of the outcome.
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast("Result", result))

    def _attempt(
        self, function: Callable[[], Result]
    ) -> tuple[Result | None, InterleaveError | None]:
        try:
            result = function()
        except InterleaveError as error:
            return None, error
        except Exception as error:  # noqa: BLE001 - the border to the model library
            _log.error("model_failed", exc_info=error)
            self._failures += 1
            return None, ServiceUnavailableError(f"The model failed ({type(error).__name__}).")
        except BaseException as error:  # noqa: BLE001 - the thread ends, and says so first
            _log.error("model_died", exc_info=error)
            self._dead = True
            return None, ServiceUnavailableError("The model's thread died.")
        self._failures = 0
        return result, None
