"""Clients that behave badly, on real sockets to loopback."""

from __future__ import annotations

import socket
import time
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from tests.servers import HOST

_LONGEST_S = 60.0


@dataclass(frozen=True, slots=True)
class Cut:
    """How a connection ended."""

    after_s: float
    answer: bytes

    @property
    def status(self) -> int | None:
        """Of the answer; None if there was none."""
        words = self.answer.split(b" ", 2)
        return int(words[1]) if len(words) > 1 else None


@contextmanager
def connected(port: int, count: int = 1) -> Generator[list[socket.socket]]:
    """So many connections on which nothing was said yet."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection((HOST, port), timeout=_LONGEST_S))
            for _ in range(count)
        ]


def dribble(port: int, pieces: Iterable[bytes], *, pause_s: float, start: bytes = b"") -> Cut:
    """Say ``start``, then the pieces with pauses, until the server ends it or they end."""
    started = time.monotonic()
    with connected(port) as (client,):
        client.sendall(start)
        client.settimeout(pause_s)
        answer = b""
        for piece in pieces:
            try:
                client.sendall(piece)
                received = client.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                break
            answer += received
            if not received:
                break
        return Cut(time.monotonic() - started, answer)


def exchange(port: int, request: bytes) -> bytes:
    """Everything that is answered until the server closes."""
    with connected(port) as (client,):
        with suppress(OSError):  # it may be closed before all is said
            client.sendall(request)
        return rest_of(client)


def rest_of(client: socket.socket) -> bytes:
    """What is still to be read."""
    answer = b""
    with suppress(OSError):
        while received := client.recv(65536):
            answer += received
    return answer
