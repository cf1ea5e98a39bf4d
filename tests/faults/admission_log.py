"""Listens to the state store while it runs: who was let in, in which order, and who left.

The order is the server's own (``MONITOR``), so that no turn is missed. What was to be true of it
is in ``scenarios.fairness``.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shared.stores import redis_keys as keys

_CHUNK_BYTES = 1 << 20
_LONGEST_LINE_BYTES = 400
"""Lines about admission are short; those that save a record are long and of no interest."""
_ADMITTED = keys.admission("admitted")
_WAITING = keys.admission("waiting")
_LINE = re.compile(r'"(ZADD|SADD|SREM)" "([^"]+)" (?:"NX" "\d+" )?"(trj_[^"]+)"')


@dataclass(slots=True)
class AdmissionLog:
    """What happened to the line, in order."""

    order: list[str] = field(default_factory=list[str])
    """Ids in the order in which they were let in."""
    began_at: dict[str, int] = field(default_factory=dict[str, int])
    """Id -> how many had been let in when it began to wait."""
    lines: dict[str, str] = field(default_factory=dict[str, str])
    """Id -> ``lane:key`` of the line it waited in."""
    waited_s: dict[str, float] = field(default_factory=dict[str, float])
    most_in_flight: int = 0
    _since_s: dict[str, float] = field(default_factory=dict[str, float])
    _in_flight: set[str] = field(default_factory=set[str])

    def note(self, line: str) -> None:
        """One line of the server's."""
        found = _LINE.search(line)
        if found is None:
            return
        command, name, trajectory_id = found.groups()
        if command == "ZADD" and name.startswith(_WAITING):
            self._began(trajectory_id, name.removeprefix(f"{_WAITING}:"))
        elif name == _ADMITTED and command == "SADD":
            self._let_in(trajectory_id)
        elif name == _ADMITTED and command == "SREM":
            self._in_flight.discard(trajectory_id)

    def before(self, trajectory_id: str) -> list[str]:
        """Whom it had to let go first: everybody let in while it waited."""
        return self.order[self.began_at[trajectory_id] : self.order.index(trajectory_id)]

    def _began(self, trajectory_id: str, line: str) -> None:
        if trajectory_id not in self.began_at:
            self.began_at[trajectory_id] = len(self.order)
            self.lines[trajectory_id] = line
            self._since_s[trajectory_id] = time.monotonic()

    def _let_in(self, trajectory_id: str) -> None:
        if trajectory_id in self._in_flight:
            return  # every later save says so again
        self._in_flight.add(trajectory_id)
        self.most_in_flight = max(self.most_in_flight, len(self._in_flight))
        if trajectory_id in self._since_s:
            self.order.append(trajectory_id)
            self.waited_s[trajectory_id] = time.monotonic() - self._since_s.pop(trajectory_id)


@contextmanager
def listening(redis_url: str) -> Generator[AdmissionLog]:
    """Listen for the length of the block."""
    log = AdmissionLog()
    address = urlsplit(redis_url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), 5.0) as server:
        server.settimeout(None)
        server.sendall(f"AUTH {address.password}\r\nMONITOR\r\n".encode())
        thread = threading.Thread(target=_read, args=(server, log.note), daemon=True)
        thread.start()
        try:
            yield log
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            thread.join(5.0)


def _read(server: socket.socket, note: Callable[[str], None]) -> None:
    rest = b""
    with suppress(OSError):
        while data := server.recv(_CHUNK_BYTES):
            *whole, rest = (rest + data).split(b"\r\n")
            for line in whole:
                if len(line) <= _LONGEST_LINE_BYTES:
                    note(line.decode(errors="replace"))
