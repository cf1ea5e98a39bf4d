"""The public internet in small: every address leads to one TLS server on loopback.

What is dialled is written down, so that a test sees to which address a connection would have
gone. Certificates are real, made by an authority of the test's own.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import httpcore
import httpx
import trustme

from tests.servers import HOST

Answer = tuple[int, dict[str, str], bytes]


@dataclass(slots=True)
class Internet:
    """``pages``: "host/path" -> answer; ``dialled``: (address, port) of every connection."""

    pages: dict[str, Answer] = field(default_factory=dict)
    dialled: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    port: int = 0
    authority: trustme.CA = field(default_factory=trustme.CA)
    names: tuple[str, ...] = ("public.test", "other.test", "rebind.test", "turns.test")

    def transport(self) -> httpx.AsyncHTTPTransport:
        """For the gateway's fetcher: as httpx would make it, but for where connections go."""
        transport = httpx.AsyncHTTPTransport()
        transport._pool = httpcore.AsyncConnectionPool(
            ssl_context=self._trusting(), network_backend=_Rerouted(self)
        )
        return transport

    def sync_transport(self) -> httpx.HTTPTransport:
        """The same for the sender of webhooks."""
        transport = httpx.HTTPTransport()
        transport._pool = httpcore.ConnectionPool(
            ssl_context=self._trusting(), network_backend=_ReroutedSync(self)
        )
        return transport

    def _trusting(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


class _Rerouted(httpcore.AsyncNetworkBackend):
    def __init__(self, internet: Internet) -> None:
        self._internet = internet
        self._real = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the name is the library's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self._internet.dialled.append((host, port))
        return await self._real.connect_tcp(HOST, self._internet.port, timeout)

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds)


class _ReroutedSync(httpcore.NetworkBackend):
    def __init__(self, internet: Internet) -> None:
        self._internet = internet
        self._real = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        self._internet.dialled.append((host, port))
        return self._real.connect_tcp(HOST, self._internet.port, timeout)


@contextmanager
def serving_pages(internet: Internet) -> Generator[Internet]:
    """Answer over TLS for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self._answer()

        def _answer(self) -> None:
            page = internet.pages.get(f"{self.headers['host']}{self.path}", (404, {}, b""))
            status, headers, body = page
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Be quiet."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    internet.authority.issue_cert(*internet.names).configure_cert(context)
    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    internet.port = int(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield internet
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
