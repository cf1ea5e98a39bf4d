"""Loopback ports: finding free ones and keeping the same ones between starts."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

HOST = "127.0.0.1"
_PORTS: TypeAdapter[dict[str, int]] = TypeAdapter(dict[str, int])


def is_free(port: int) -> bool:
    """Whether the port can be listened on now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listened on a moment ago."""
    with ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for taken in sockets:
            taken.bind((HOST, 0))
        return [int(taken.getsockname()[1]) for taken in sockets]


def remembered_ports(file: Path, names: Sequence[str]) -> dict[str, int]:
    """A port for each name: the one of the last start if it is still free, else a new one."""
    last = _last_ports(file)
    kept = {name: last[name] for name in names if name in last and is_free(last[name])}
    missing = [name for name in names if name not in kept]
    ports = kept | dict(zip(missing, free_ports(len(missing)), strict=True))
    file.write_text(json.dumps(ports, indent=1, sort_keys=True))
    return ports


def _last_ports(file: Path) -> dict[str, int]:
    if not file.exists():
        return {}
    try:
        return _PORTS.validate_json(file.read_text())
    except ValidationError:
        return {}
