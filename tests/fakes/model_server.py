"""HTTP servers on loopback that behave as model services do on good and bad days.

Each runs in a thread of the test and answers every POST alike; named by how it fails.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


@dataclass(slots=True)
class Behaviour:
    """What a server does with each request."""

    status: int = 200
    lines: tuple[str, ...] = ()
    pause_s: float = 0.0
    """Before each line."""
    hangs_up: bool = False
    """Close after the lines although more was promised."""
    bodies: list[bytes] = field(default_factory=list)
    """What was posted."""
    left_early: threading.Event = field(default_factory=threading.Event)
    """Set when the client went away before the answer was complete."""


@contextmanager
def serving(behaviour: Behaviour) -> Generator[str]:
    """The base URL of a server for the length of the block."""

    class Handler(_Handler):
        behaves = behaviour

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    behaves: ClassVar[Behaviour]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer as the behaviour says."""
        length = int(self.headers.get("content-length", 0))
        self.behaves.bodies.append(self.rfile.read(length))
        self._answer()

    def do_GET(self) -> None:
        """Answer as to a POST."""
        self._answer()

    def _answer(self) -> None:
        self.close_connection = True
        self.send_response(self.behaves.status)
        promised = sum(len(line.encode()) + 1 for line in self.behaves.lines)
        self.send_header("content-length", str(promised + 5 * self.behaves.hangs_up))
        self.end_headers()
        try:
            for line in self.behaves.lines:
                self._wait()
                self.wfile.write(line.encode() + b"\n")
                self.wfile.flush()
        except OSError:
            self.behaves.left_early.set()

    def _wait(self) -> None:
        """Sleep, but notice within 20 ms when the client closes its side."""
        self.connection.settimeout(0.02)
        give_up_at = time.monotonic() + self.behaves.pause_s
        while time.monotonic() < give_up_at:
            try:
                if self.connection.recv(1) == b"":
                    raise ConnectionResetError
            except TimeoutError:
                continue

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
