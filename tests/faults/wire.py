"""The harness's own side of the network, in one thread: proxies, points and webhook receiver.

``POST /points`` is called by the scripted model services and answers once the point's action is
done; ``POST /hooks/{name}`` receives webhooks.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.launcher.ports import HOST
from tests.faults.points import Points, Reached
from tests.faults.proxy import Mode, Proxy

_START_S = 10.0
DELIVERED = "delivered"
"""Point: a webhook was received and is not answered yet."""


@dataclass(frozen=True, slots=True)
class Received:
    """One webhook as it came."""

    name: str
    headers: Mapping[str, str]
    body: bytes
    at_s: float
    status: int


class Wire:
    """Everything the harness listens with; started once."""

    def __init__(self, port: int, proxies: Sequence[Proxy], points: Points) -> None:
        self.url = f"http://{HOST}:{port}"
        self.received: list[Received] = []
        self.statuses: dict[str, int] = defaultdict(lambda: 204)
        """What each receiver answers."""
        self._proxies = proxies
        self._points = points
        config = uvicorn.Config(
            self._app(), host=HOST, port=port, log_level="error", lifespan="off", access_log=False
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)
        self._loop = asyncio.new_event_loop()

    def start(self) -> None:
        """Listen; returns when everything does."""
        self._thread.start()
        give_up_at = time.monotonic() + _START_S
        while not self._server.started and time.monotonic() < give_up_at:
            time.sleep(0.01)

    def set_mode(self, proxy: Proxy, mode: Mode) -> None:
        """Change a proxy; those that exist feel it too."""
        proxy.mode = mode
        if mode is not Mode.OPEN:
            self._loop.call_soon_threadsafe(proxy.hang_up)

    def hang_up(self, proxy: Proxy) -> None:
        """End all its connections."""
        self._loop.call_soon_threadsafe(proxy.hang_up)

    def stop(self) -> None:
        """End the thread."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(_START_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        servers = [await proxy.serve() for proxy in self._proxies]
        await self._server.serve()
        for server in servers:
            server.close()

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/points", self._point, methods=["POST"]),
                Route("/hooks/{name}", self._hook, methods=["POST"]),
            ]
        )

    async def _point(self, request: Request) -> Response:
        told = await request.json()
        reached = Reached(told["point"], told["trajectory_id"], str(told["port"]))
        await asyncio.to_thread(self._points.reach, reached)
        return Response(status_code=204)

    async def _hook(self, request: Request) -> Response:
        name = request.path_params["name"]
        status = self.statuses[name]
        body = await request.body()
        headers = dict(request.headers)
        self.received.append(Received(name, headers, body, time.time(), status))
        await asyncio.to_thread(self._points.reach, Reached(DELIVERED, name))
        return Response(status_code=status)
