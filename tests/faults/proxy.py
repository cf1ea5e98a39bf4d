"""A TCP proxy that can be down, slow, silent, refusing or truncating, and can be listened in on.

Knows bytes only. What the bytes of Redis mean is in ``redis_tap``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Protocol

from services.launcher.ports import HOST

_CHUNK_BYTES = 262_144
_SLOW_S = 0.7
_TRUNCATED_BYTES = 300
_BUSY = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    b"Content-Length: 82\r\n\r\n"
)
_BUSY_BODY = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"


class Mode(StrEnum):
    """How the way to the server is."""

    OPEN = "open"
    DOWN = "down"
    """Connections end as soon as they are made, and those that exist."""
    SLOW = "slow"
    """Every answer is late."""
    SILENT = "silent"
    """Nothing comes back."""
    REFUSING = "refusing"
    """Every request gets an HTTP 503."""
    TRUNCATING = "truncating"
    """Every answer breaks off."""


class Tap(Protocol):
    """Sees what passes and may swallow it."""

    def request(self, data: bytes) -> bool:
        """Whether these bytes of the client may pass."""
        ...

    def answer(self, data: bytes) -> bool:
        """Whether these bytes of the server may pass."""
        ...


class OpenTap:
    """Lets everything pass."""

    def request(self, data: bytes) -> bool:
        """Yes."""
        return True

    def answer(self, data: bytes) -> bool:
        """Yes."""
        return True


class Proxy:
    """Listens on ``port`` and passes on to ``target``; ``mode`` may change at any time."""

    def __init__(self, port: int, target: int, *, tap: Callable[[], Tap] = OpenTap) -> None:
        self.port = port
        self.mode = Mode.OPEN
        self._target = target
        self._tap = tap
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self) -> asyncio.Server:
        """Start to listen."""
        return await asyncio.start_server(self._connected, HOST, self.port)

    def hang_up(self) -> None:
        """End every connection; call it in the proxy's own loop."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _connected(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if self.mode is Mode.DOWN:
            back.transport.abort()
            return
        try:
            server, forth = await asyncio.open_connection(HOST, self._target)
        except OSError:
            back.transport.abort()
            return
        self._open |= {back, forth}
        tap = self._tap()
        ways = (self._forth(client, forth, back, tap=tap), self._back(server, back, tap))
        running = [asyncio.ensure_future(way) for way in ways]
        try:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open -= {back, forth}
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            for writer in (back, forth):
                writer.close()

    async def _forth(
        self,
        client: asyncio.StreamReader,
        forth: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        *,
        tap: Tap,
    ) -> None:
        with suppress(OSError):
            while data := await client.read(_CHUNK_BYTES):
                if self.mode is Mode.REFUSING:
                    back.write(_BUSY.replace(b"82", str(len(_BUSY_BODY)).encode()) + _BUSY_BODY)
                    await back.drain()
                    return
                if not tap.request(data):
                    return
                forth.write(data)
                await forth.drain()

    async def _back(
        self, server: asyncio.StreamReader, back: asyncio.StreamWriter, tap: Tap
    ) -> None:
        with suppress(OSError):
            while data := await server.read(_CHUNK_BYTES):
                if not tap.answer(data):
                    return
                if self.mode is Mode.SILENT:
                    continue
                if self.mode is Mode.SLOW:
                    await asyncio.sleep(_SLOW_S)
                if self.mode is Mode.TRUNCATING:
                    back.write(data[: min(_TRUNCATED_BYTES, len(data) // 2)])
                    await back.drain()
                    return
                back.write(data)
                await back.drain()
