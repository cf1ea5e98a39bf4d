"""One HTTP/1.1 exchange over a socket that can be left at any moment, and connections kept warm.

A synchronous client that waits for bytes, for the clock and for cancellation at once: the
libraries' synchronous clients cannot be interrupted, and an event loop per call costs more
time than the whole exchange. What the bytes mean is decided in ``transport``.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import h11

from shared.clients.failures import CallCancelledError, check_size
from shared.errors import ServiceTimeoutError, ServiceUnavailableError

POLL_S: Final = 0.2
"""How often ``cancelled`` is asked while nothing arrives."""
_RECEIVE_BYTES: Final = 65536
_MAX_IDLE: Final = 64


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens."""

    host: str
    port: int
    secure: bool
    path: str
    """Prefix of every path."""

    @classmethod
    def of(cls, base_url: str) -> Address:
        """The address in a URL."""
        parts = urlsplit(base_url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        return cls(parts.hostname or "", port, secure, parts.path.rstrip("/"))

    @property
    def netloc(self) -> str:
        """For the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(slots=True)
class Limits:
    """What ends a call early."""

    cancelled: Callable[[], bool]
    silence_s: float
    give_up_at_s: float
    service: str
    heard_at_s: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Raise if the call must end now."""
        if self.cancelled():
            raise CallCancelledError
        now_s = time.monotonic()
        if now_s > self.give_up_at_s:
            raise ServiceTimeoutError(f"The {self.service} did not answer in time.")
        if now_s > self.heard_at_s + self.silence_s:
            raise ServiceTimeoutError(f"The {self.service} stayed silent too long.")


class Line:
    """A connection to a service and the state of its protocol."""

    def __init__(self, address: Address, *, connect_s: float) -> None:
        plain = socket.create_connection((address.host, address.port), connect_s)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket: socket.socket = plain
        if address.secure:
            context = ssl.create_default_context()
            self._socket = context.wrap_socket(plain, server_hostname=address.host)
        self._protocol = h11.Connection(h11.CLIENT)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    def send(self, request: h11.Request, body: bytes, *, timeout_s: float) -> None:
        """Send a whole request."""
        self._socket.settimeout(timeout_s)
        parts = (request, h11.Data(data=body), h11.EndOfMessage())
        self._socket.sendall(b"".join(self._protocol.send(part) or b"" for part in parts))

    def receive(self, limits: Limits) -> h11.Event:
        """The next part of the answer.

        Raises:
            CallCancelledError: soon after ``cancelled()`` became true.
            ServiceTimeoutError: when a limit of time is reached.
        """
        while True:
            event = self._protocol.next_event()
            if isinstance(event, h11.Event):
                return event
            self._wait(limits)
            self._protocol.receive_data(self._socket.recv(_RECEIVE_BYTES))
            limits.heard_at_s = time.monotonic()

    def reset(self) -> bool:
        """Make ready for another exchange; False if this connection is done."""
        if self._protocol.our_state is not h11.DONE or self._protocol.their_state is not h11.DONE:
            return False
        self._protocol.start_next_cycle()
        return True

    def stale(self) -> bool:
        """Whether the server closed it (or spoke unasked) while it was idle."""
        return bool(self._poll.poll(0))

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _wait(self, limits: Limits) -> None:
        limits.check()
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return
        while not self._poll.poll(POLL_S * 1000):
            limits.check()


class Exchange:
    """Calls to one service, over connections that are used again."""

    def __init__(self, service: str, base_url: str, *, connect_s: float) -> None:
        self._service = service
        self._address = Address.of(base_url)
        self._connect_s = connect_s
        self._idle: list[Line] = []
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._idle)

    def post(
        self, path: str, body: bytes, *, headers: Mapping[str, str], limits: Limits
    ) -> Generator[int | bytes]:
        """The status, then the body as it comes; leaving early hangs up.

        Raises:
            OSError, h11.RemoteProtocolError: if the connection fails or breaks.
        """
        limits.check()
        line, answer = self._begin(self._request(path, body, headers), body, limits)
        kept = False
        try:
            yield answer.status_code
            size = 0
            while not isinstance(event := line.receive(limits), h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    size += len(event.data)
                    check_size(self._service, size)
                    yield bytes(event.data)
            kept = line.reset()
        finally:
            self._put_back(line, usable=kept)

    def _begin(
        self, request: h11.Request, body: bytes, limits: Limits
    ) -> tuple[Line, h11.Response]:
        """Send, and wait for the head of the answer."""
        line = self._take()
        while line is not None:
            try:
                return line, self._head(line, request, body, limits)
            except (OSError, h11.RemoteProtocolError):
                # The server closed an idle connection at this very moment: take another.
                line = self._take()
        fresh = self._connect()
        return fresh, self._head(fresh, request, body, limits)

    def _head(self, line: Line, request: h11.Request, body: bytes, limits: Limits) -> h11.Response:
        try:
            line.send(request, body, timeout_s=limits.silence_s)
            event = line.receive(limits)
            while isinstance(event, h11.InformationalResponse):
                event = line.receive(limits)
        except BaseException:
            line.close()
            raise
        if not isinstance(event, h11.Response):
            line.close()
            raise ConnectionResetError(f"{type(event).__name__} instead of an answer")
        return event

    def _connect(self) -> Line:
        try:
            return Line(self._address, connect_s=self._connect_s)
        except TimeoutError as error:
            raise ServiceUnavailableError(f"The {self._service} cannot be reached.") from error

    def _request(self, path: str, body: bytes, headers: Mapping[str, str]) -> h11.Request:
        fields = {
            "host": self._address.netloc,
            "content-length": str(len(body)),
            "accept": "*/*",
            **headers,
        }
        return h11.Request(
            method="POST", target=self._address.path + path, headers=list(fields.items())
        )

    def _take(self) -> Line | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                line = self._idle.pop()
            if not line.stale():
                return line
            line.close()

    def _put_back(self, line: Line, *, usable: bool) -> None:
        with self._lock:
            if usable and len(self._idle) < _MAX_IDLE:
                self._idle.append(line)
                return
        line.close()


def _close_all(lines: list[Line]) -> None:
    while lines:
        lines.pop().close()
