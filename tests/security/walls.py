"""A wall around this process: nothing but loopback is resolved or connected to, guard or not.

It is an audit hook of the interpreter, below every library. What hits the wall is written down,
so that a test can tell "refused by the guard" from "stopped by the wall".
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})
_LOCAL_NAMES = frozenset({"localhost", ""})


class LeakError(OSError):
    """Something tried to leave this machine."""


class Wall:
    """Stands while ``standing`` is true; ``hits`` are (event, host)."""

    def __init__(self) -> None:
        self.standing = False
        self.hits: list[tuple[str, str]] = []
        sys.addaudithook(self._look)  # cannot be taken away again, only made to look aside

    @contextmanager
    def standing_up(self) -> Generator[None]:
        """Let nothing through for the length of the block."""
        self.standing = True
        try:
            yield
        finally:
            self.standing = False

    def _look(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.standing or event not in _CONNECTS | _LOOKUPS:
            return
        host = _host(arguments[0] if event in _LOOKUPS else arguments[-1])
        if not _is_local(host):
            self.hits.append((event, host))
            message = f"{event} to {host} was stopped at the wall"
            raise LeakError(message)


def _host(place: object) -> str:
    if isinstance(place, tuple):
        place = cast("tuple[object, ...]", place)[0]
    return place.decode() if isinstance(place, bytes) else str(place or "")


def _is_local(host: str) -> bool:
    if host in _LOCAL_NAMES or host.startswith(("/", "\0")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
