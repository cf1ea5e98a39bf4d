"""A connection that is closed when its client keeps it for nothing.

uvicorn's own protocol waits for ever for a request's head, for its body and for a client that
takes its answer. Here each has its time. Half-open connections (no head yet, or idle between
two requests) are bounded in number: of one too many the oldest is closed, so that however many
are held open, a client that speaks at once is served.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from shared.contracts.problems import Problem
from shared.http.problems import MEDIA_TYPE, problem_response

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

STALL_BYTES = 5 * 1024
"""A body must bring so many bytes in each stretch of ``Patience.stall_s``."""
DRAIN_S = 2.0
"""How long an answered client may go on sending its body."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds until a connection is closed."""

    head_s: float
    """From the first sign of a request to the end of its headers."""
    stall_s: float
    """For each ``STALL_BYTES`` of a body."""
    unread_s: float
    """For a client that takes nothing of its answer."""


class HalfOpen:
    """The connections without a request, oldest first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[PatientProtocol, None] = {}

    def add(self, connection: PatientProtocol) -> None:
        """One more; the oldest makes room."""
        self._open[connection] = None
        if len(self._open) > self._most:
            oldest = next(iter(self._open))
            del self._open[oldest]
            oldest.transport.abort()

    def discard(self, connection: PatientProtocol) -> None:
        """It has sent a request, or is gone."""
        self._open.pop(connection, None)


class PatientProtocol(H11Protocol):
    """uvicorn's protocol with a clock for each way to keep it waiting."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        patience: Patience,
        half_open: HalfOpen,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._patience = patience
        self._half_open = half_open
        self._head_clock: asyncio.TimerHandle | None = None
        self._body_clock: asyncio.TimerHandle | None = None
        self._unread_clock: asyncio.TimerHandle | None = None
        self._received = 0
        self._answered = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client came."""
        super().connection_made(transport)
        self._half_open.add(self)
        self._head_clock = self._after(self._patience.head_s, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone, or was sent away."""
        self._half_open.discard(self)
        for clock in (self._head_clock, self._body_clock, self._unread_clock):
            _stop(clock)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More of a request."""
        self._received += len(data)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """An answer is written; the next request may come."""
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self.conn.their_state is h11.SEND_BODY:
            self._after(DRAIN_S, self._end_drain)
        elif self.conn.their_state is h11.IDLE:
            self._half_open.add(self)

    def pause_writing(self) -> None:
        """The client takes its answer slowly."""
        super().pause_writing()
        self._unread_clock = self._after(self._patience.unread_s, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has taken some."""
        super().resume_writing()
        _stop(self._unread_clock)

    def send_400_response(self, msg: str) -> None:
        """Answer a head that is none: 400, or 431 if there is too much of it."""
        error = sys.exception()
        hint = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        too_large = hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        self._refuse(HTTPStatus(hint), "The headers are too large." if too_large else msg)

    def _watch(self) -> None:
        """Set the clocks by what is still to come."""
        if self.transport.is_closing():
            return
        state = self.conn.their_state
        if state is h11.IDLE:
            if self._head_clock is None and self.conn.trailing_data[0]:
                self._head_clock = self._after(self._patience.head_s, self._head_is_late)
            return
        self._half_open.discard(self)
        self._head_clock = _stop(self._head_clock)
        if state is not h11.SEND_BODY:
            self._body_clock = _stop(self._body_clock)
        elif self._body_clock is None:
            self._measure_body()

    def _measure_body(self) -> None:
        before = self._received

        def look() -> None:
            waited_for_us = self.flow.read_paused
            if waited_for_us or self._received - before >= STALL_BYTES:
                self._measure_body()
            else:
                self._body_is_late()

        self._body_clock = self._after(self._patience.stall_s, look)

    def _head_is_late(self) -> None:
        self._head_clock = None
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            return
        if self._received:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The headers did not come in time.")
        else:
            self.transport.close()

    def _body_is_late(self) -> None:
        self._body_clock = None
        if self.conn.their_state is h11.SEND_BODY:
            self.transport.abort()

    def _end_drain(self) -> None:
        if self.conn.their_state is h11.SEND_BODY:
            self.transport.close()

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        code = status.phrase.lower().replace(" ", "_")
        problem = Problem(code=code, title=status.phrase, detail=detail, status=status)
        body = bytes(problem_response(problem).body)
        headers = [("content-type", MEDIA_TYPE), ("connection", "close")]
        headers.append(("content-length", str(len(body))))
        response = h11.Response(status_code=status, headers=headers, reason=status.phrase)
        for event in (response, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _after(self, seconds: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        return self.loop.call_later(seconds, act)


def _stop(clock: asyncio.TimerHandle | None) -> None:
    if clock is not None:
        clock.cancel()
