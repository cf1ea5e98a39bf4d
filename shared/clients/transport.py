"""The HTTP under the model clients: one call, abortable, every failure a typed error.

Retries are not here: the orchestrator decides about them by ``retryable``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import ClassVar, cast

import h11
import httpx
from pydantic import BaseModel, ConfigDict

from shared.clients.breaker import Breaker
from shared.clients.exchange import Exchange, Limits
from shared.clients.failures import answer_error, connection_error
from shared.contracts.wire import Wire
from shared.errors import (
    InterleaveError,
    ServiceTimeoutError,
)
from shared.telemetry.tracing import trace_headers

Cancelled = Callable[[], bool]
_CANNOT_NOW = frozenset({429, 503})
"""Statuses by which a service says that it has no room or is not ready."""


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
        self._breaker = Breaker(service)
        self._exchange = Exchange(service, base_url, connect_s=self._timeouts.connect_s)

    def post_lines(self, path: str, task: Wire, cancelled: Cancelled) -> Generator[str]:
        """The lines of the answer as they come; the connection closes when left early.

        Raises:
            CallCancelledError: within ``POLL_S`` of ``cancelled()`` becoming true.
            UpstreamError: a subclass of it, for whatever else went wrong.
        """
        self._breaker.check()
        limits = Limits(
            cancelled=cancelled,
            silence_s=self._timeouts.silence_s,
            give_up_at_s=time.monotonic() + self._timeouts.total_s,
            service=self._service,
        )
        headers = {"content-type": "application/json", **trace_headers()}
        body = task.model_dump_json().encode()
        try:
            with closing(self._exchange.post(path, body, headers=headers, limits=limits)) as parts:
                status = cast("int", next(parts))
                chunks = cast("Iterator[bytes]", parts)
                self._note(status)
                if not _is_success(status):
                    raise answer_error(self._service, status, b"".join(chunks))
                yield from _lines(chunks)
        except (OSError, h11.RemoteProtocolError) as error:
            self._breaker.failed()
            raise connection_error(self._service, error) from error
        except ServiceTimeoutError:
            self._breaker.failed()
            raise

    def _note(self, status: int) -> None:
        if status in _CANNOT_NOW:
            self._breaker.failed()
        else:
            self._breaker.succeeded()

    def post(self, path: str, task: Wire, cancelled: Cancelled) -> str:
        """The whole answer; raises as ``post_lines`` does."""
        with closing(self.post_lines(path, task, cancelled)) as lines:
            return "\n".join(lines)

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

    async def ready(self) -> bool:
        """Whether the service takes work now."""
        try:
            await self.fetch("/readyz")
        except InterleaveError:
            return False
        return True

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


class ServiceClient:
    """The base of the clients: a transport to one address, and whether it is ready."""

    service: ClassVar[str]
    """What the service is called in problems."""

    def __init__(self, base_url: str, *, timeouts: CallTimeouts | None = None) -> None:
        self._http = ModelTransport(self.service, base_url, timeouts=timeouts)

    async def ready(self) -> bool:
        """Whether the service takes work now."""
        return await self._http.ready()


def _is_success(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004


def _lines(chunks: Iterable[bytes]) -> Generator[str]:
    """Non-empty lines, as soon as each is complete."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole if line.strip())
    if rest.strip():
        yield rest.decode(errors="replace")
