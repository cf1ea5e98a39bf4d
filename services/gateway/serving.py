"""How the gateway listens: uvicorn, with a protocol that has limited patience.

What a connection may cost before anybody knows whose it is is decided here; what is asked for
on it is the app's.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

import uvicorn

from services.gateway.patience import HalfOpen, Patience, PatientProtocol

if TYPE_CHECKING:
    import asyncio

    from fastapi import FastAPI

    from services.gateway.settings import GatewaySettings

_KEEP_ALIVE_S = 20
_TAKES_NOTHING = 6
"""How many stalls long a client may leave an answer where it is."""


def server_of(
    app: FastAPI, settings: GatewaySettings, *, host: str, port: int, grace_s: int
) -> uvicorn.Server:
    """A server for ``app``, not started yet."""
    patience = Patience(
        head_s=settings.head_timeout_s,
        stall_s=settings.stall_timeout_s,
        unread_s=settings.stall_timeout_s * _TAKES_NOTHING,
    )
    protocol = partial(
        PatientProtocol, patience=patience, half_open=HalfOpen(settings.max_half_open)
    )
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=cast("type[asyncio.Protocol]", protocol),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=grace_s,
        h11_max_incomplete_event_size=settings.max_url_bytes + settings.max_header_bytes,
    )
    return uvicorn.Server(config)
