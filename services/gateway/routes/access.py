"""Who calls, whether they may, and how often: dependencies that every route uses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway import auth
from services.gateway.auth import ApiKey
from services.gateway.parts import Parts
from services.gateway.rate_limit import Quota, check_quota
from services.gateway.settings import GatewaySettings

_bearer = HTTPBearer(auto_error=False, description="An API key: `il_...`.")
_DAY_S = 24 * 3600
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


def parts_of(request: Request) -> Parts:
    """The app's parts, there from the end of its start-up."""
    return cast("Parts", request.app.state.parts)


PartsOf = Annotated[Parts, Depends(parts_of)]


async def _caller(request: Request, parts: PartsOf, credentials: Credentials) -> ApiKey:
    secret = None if credentials is None else credentials.credentials
    key = await auth.authenticate(parts.keys, secret, now=datetime.now(UTC))
    await _count(request, parts, key, calls_quota(parts.settings))
    if (quota := day_quota(parts.settings, key)) is not None:
        await check_quota(parts.calls, key.id, quota)
    return key


async def _count(request: Request, parts: Parts, key: ApiKey, quota: Quota) -> None:
    standing = await check_quota(parts.calls, key.id, quota)
    request.state.rate_limit = standing.headers()


Caller = Annotated[ApiKey, Depends(_caller)]


async def _reader(key: Caller) -> ApiKey:
    auth.require_scope(key, auth.Scope.READ)
    return key


async def _writer(key: Caller) -> ApiKey:
    auth.require_scope(key, auth.Scope.WRITE)
    return key


async def _creator(request: Request, parts: PartsOf, key: Caller) -> ApiKey:
    auth.require_scope(key, auth.Scope.WRITE)
    await _count(request, parts, key, creations_quota(parts.settings))
    return key


async def _administrator(key: Caller) -> ApiKey:
    auth.require_scope(key, auth.Scope.ADMIN)
    return key


Reader = Annotated[ApiKey, Depends(_reader)]
Writer = Annotated[ApiKey, Depends(_writer)]
Creator = Annotated[ApiKey, Depends(_creator)]
Administrator = Annotated[ApiKey, Depends(_administrator)]


def calls_quota(settings: GatewaySettings) -> Quota:
    """What one key may call in a minute."""
    return Quota("calls", settings.requests_per_minute)


def day_quota(settings: GatewaySettings, key: ApiKey) -> Quota | None:
    """What this key may call in 24 hours; None: as much as it likes."""
    calls = key.limits.calls_per_day or settings.calls_per_day
    return None if calls is None else Quota("day", calls, _DAY_S)


def creations_quota(settings: GatewaySettings) -> Quota:
    """How many trajectories one key may start in a minute."""
    return Quota("creations", settings.creations_per_minute)


class RateLimitHeadersMiddleware:
    """Puts the caller's standing on every answer, also on errors and streams."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""

        async def send_with_standing(message: Message) -> None:
            if message["type"] == "http.response.start":
                standing = scope.get("state", {}).get("rate_limit", {})
                MutableHeaders(scope=message).update(standing)
            await send(message)

        await self._app(scope, receive, send_with_standing)
