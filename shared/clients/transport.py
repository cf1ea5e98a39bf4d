"""The HTTP under the model clients: one call, abortable, every failure a typed error.

Retries are not here: the orchestrator decides about them by ``retryable``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Final

import httpx
from pydantic import BaseModel, ConfigDict

from shared.clients.failures import (
    CallCancelledError,
    answer_error,
    check_size,
    connection_error,
)
from shared.contracts.wire import Wire
from shared.errors import ServiceTimeoutError
from shared.telemetry.tracing import trace_headers

Cancelled = Callable[[], bool]
POLL_S: Final = 0.2
"""How often ``cancelled`` is asked while nothing arrives."""


class CallTimeouts(BaseModel):
    """How long a model call may take. Environment: ``..._TIMEOUTS__TOTAL_S`` and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connect_s: float = 3.0
    silence_s: float = 120.0
    """Longest time without a single byte."""
    total_s: float = 300.0


def never_cancelled() -> bool:
    """For calls that nobody cancels."""
    return False


class ModelTransport:
    """Calls one model service: synchronously with cancellation, or asynchronously."""

    def __init__(
        self, service: str, base_url: str, *, timeouts: CallTimeouts | None = None
    ) -> None:
        self._service = service
        self._base_url = base_url.rstrip("/")
        self._timeouts = timeouts or CallTimeouts()

    def post_lines(self, path: str, task: Wire, cancelled: Cancelled) -> Generator[str]:
        """The lines of the answer as they come; the connection closes when left early.

        A private event loop runs the call, because only there can one wait for bytes, for the
        clock and for cancellation at once. It must not be called where a loop already runs.

        Raises:
            CallCancelledError: within ``POLL_S`` of ``cancelled()`` becoming true.
            UpstreamError: a subclass of it, for whatever else went wrong.
        """
        give_up_at = time.monotonic() + self._timeouts.total_s
        with asyncio.Runner() as runner:
            lines = self._lines(path, task)
            try:
                while (
                    line := runner.run(self._next(lines, cancelled, give_up_at=give_up_at))
                ) is not None:
                    yield line
            finally:
                runner.run(lines.aclose())

    def post(self, path: str, task: Wire, cancelled: Cancelled) -> str:
        """The whole answer; raises as ``post_lines`` does."""
        return "\n".join(self.post_lines(path, task, cancelled))

    async def fetch(self, path: str, *, task: Wire | None = None, timeout_s: float = 5.0) -> str:
        """One short asynchronous call: a POST with a task, else a GET."""
        method, content = ("GET", None) if task is None else ("POST", task.model_dump_json())
        try:
            async with asyncio.timeout(timeout_s), self._client() as client:
                response = await client.request(method, path, content=content)
        except TimeoutError as error:
            raise ServiceTimeoutError(self._too_long(timeout_s)) from error
        except (httpx.HTTPError, OSError) as error:
            raise connection_error(self._service, error) from error
        if not response.is_success:
            raise answer_error(self._service, response.status_code, response.content)
        return response.text

    async def _next(
        self, lines: AsyncGenerator[str], cancelled: Cancelled, *, give_up_at: float
    ) -> str | None:
        waiting = asyncio.ensure_future(anext(lines, None))
        try:
            while True:
                if cancelled():
                    raise CallCancelledError
                if time.monotonic() > give_up_at:
                    raise ServiceTimeoutError(self._too_long(self._timeouts.total_s))
                done, _ = await asyncio.wait({waiting}, timeout=POLL_S)
                if done:
                    return waiting.result()
        finally:
            if not waiting.done():
                waiting.cancel()
                await asyncio.wait({waiting})

    async def _lines(self, path: str, task: Wire) -> AsyncGenerator[str]:
        try:
            async with (
                self._client() as client,
                client.stream("POST", path, content=task.model_dump_json()) as response,
            ):
                if not response.is_success:
                    raise answer_error(self._service, response.status_code, await response.aread())
                size = 0
                async for line in response.aiter_lines():
                    size += len(line)
                    check_size(self._service, size)
                    if line:
                        yield line
        except (httpx.HTTPError, OSError) as error:
            raise connection_error(self._service, error) from error

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self._base_url,
            headers={"content-type": "application/json", **trace_headers()},
            timeout=httpx.Timeout(self._timeouts.silence_s, connect=self._timeouts.connect_s),
            # Proxies of the environment are for the outside world, and loading certificates
            # for plain http would cost 20 ms a call.
            trust_env=False,
            verify=self._base_url.startswith("https://"),
        )

    def _too_long(self, seconds: float) -> str:
        return f"The {self._service} did not answer within {seconds:g} s."
