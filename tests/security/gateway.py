"""The real gateway, as ``services.gateway serve`` runs it, on a loopback port of its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import redis

from services.gateway.app import OpenParts, build_app
from services.gateway.auth import ALL_SCOPES, Scope, new_secret, record_of
from services.gateway.serving import server_of
from services.gateway.settings import GatewaySettings
from services.gateway.wiring import open_parts
from shared.stores.accounts import AccountRecords, api_key_place
from shared.stores.s3_images import S3ImageStore
from shared.stores.tenants import AccountTenantStore, new_webhook_secret
from tests.servers import HOST

_START_S = 30.0
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where it is, and how to get keys for it."""

    port: int
    settings: GatewaySettings

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"

    def key(
        self,
        tenant: str,
        *,
        scopes: tuple[Scope, ...] = ALL_SCOPES,
        lifetime: timedelta | None = None,
    ) -> str:
        """A new key of ``tenant``, put where the administration puts it."""
        secret = new_secret()
        record = record_of(secret, tenant, now=datetime.now(UTC), scopes=scopes, lifetime=lifetime)
        with redis.Redis.from_url(self.settings.redis_url) as client:
            records = AccountRecords(client, S3ImageStore(self.settings.storage))
            records.put(api_key_place(record.digest), record.model_dump_json())
            AccountTenantStore(records).ensure(tenant, webhook_secret=new_webhook_secret())
        return secret

    def client(self, key: str | None) -> httpx.Client:
        """A client with ``key``, or a stranger's."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=_TIMEOUT_S)


@contextmanager
def served(settings: GatewaySettings, parts: OpenParts = open_parts) -> Generator[Gateway]:
    """A gateway for the length of the block."""
    app = build_app(settings, parts)
    # With the protocol named, as getaddrinfo would: asyncio sends small answers at once only then.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind((HOST, 0))
        port = int(listener.getsockname()[1])
        server = server_of(app, settings, host=HOST, port=port, grace_s=1)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        give_up_at = time.monotonic() + _START_S
        while not server.started and time.monotonic() < give_up_at:
            time.sleep(0.02)
        assert server.started
        try:
            yield Gateway(port, settings)
        finally:
            server.should_exit = True
            thread.join(20)
