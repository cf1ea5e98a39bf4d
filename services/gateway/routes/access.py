"""Who calls, whether they may, and how often: the route class and dependencies of every route.

``KeyedRoute`` asks for the key before a byte of the body is read, so that strangers cannot make
us hold or parse anything. A route declares its scope by the type of its ``key`` parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, cast

from fastapi import Depends, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway import auth
from services.gateway.auth import ApiKey
from services.gateway.parts import Parts
from services.gateway.rate_limit import Quota, check_quota
from services.gateway.settings import GatewaySettings
from shared.errors import InvalidRequestError, TooLargeError
from shared.http.disconnect import ClientGoneError

MAX_JSON_VALUES = 100_000
"""Brackets and commas in a JSON body: what bounds the memory that it takes once parsed."""
_bearer = HTTPBearer(auto_error=False, description="An API key: `il_...`.")
_BEARER = "bearer "
_DAY_S = 24 * 3600
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def parts_of(request: Request) -> Parts:
    """The app's parts, there from the end of its start-up."""
    return cast("Parts", request.app.state.parts)


PartsOf = Annotated[Parts, Depends(parts_of)]


class KeyedRoute(APIRoute):
    """Knows who calls before it reads what is sent."""

    def get_route_handler(self) -> Handler:
        """The handler, behind the check of the key and of the body's make."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            request.state.caller = await _identify(request)
            _enter(request)
            try:
                await _check_json(request)
                return await handler(request)
            except ClientDisconnect as error:
                raise ClientGoneError from error
            except HTTPException as error:
                raise _unreadable(error) from error

        return answer


def _unreadable(error: HTTPException) -> Exception:
    """What the framework says of a body that it cannot read, in our words."""
    if error.status_code != HTTPStatus.BAD_REQUEST:
        return error
    match error.__cause__:
        case RecursionError():
            return InvalidRequestError("The JSON is nested too deeply.")
        case UnicodeDecodeError():
            return InvalidRequestError("The body is not UTF-8.")
        case ValueError():
            return InvalidRequestError("The JSON holds a number with too many digits.")
        case _:
            return InvalidRequestError(str(error.detail))


async def _identify(request: Request) -> ApiKey:
    parts = parts_of(request)
    key = await auth.authenticate(parts.keys, _secret_of(request), now=datetime.now(UTC))
    await _count(request, parts, key, calls_quota(parts.settings))
    if (quota := day_quota(parts.settings, key)) is not None:
        await check_quota(parts.calls, key.id, quota)
    return key


def _secret_of(request: Request) -> str | None:
    given = request.headers.get("authorization", "")
    return given[len(_BEARER) :].strip() if given.lower().startswith(_BEARER) else None


async def _check_json(request: Request) -> None:
    """Refuse JSON of so many values that reading it would take many times its bytes."""
    if "json" not in request.headers.get("content-type", "").lower():
        return
    body = await request.body()
    if sum(body.count(mark) for mark in (b"[", b"{", b",")) > MAX_JSON_VALUES:
        raise TooLargeError(f"A JSON body may hold at most {MAX_JSON_VALUES} values.")


async def _count(request: Request, parts: Parts, key: ApiKey, quota: Quota) -> None:
    standing = await check_quota(parts.calls, key.id, quota)
    request.state.rate_limit = standing.headers()


async def _caller(request: Request, wanted: SecurityScopes, _shown: Credentials) -> ApiKey:
    key = cast("ApiKey", request.state.caller)
    for scope in wanted.scopes:
        auth.require_scope(key, auth.Scope(scope))
    return key


Reader = Annotated[ApiKey, Security(_caller, scopes=[auth.Scope.READ.value])]
Writer = Annotated[ApiKey, Security(_caller, scopes=[auth.Scope.WRITE.value])]
WebhookManager = Annotated[ApiKey, Security(_caller, scopes=[auth.Scope.WEBHOOKS.value])]


async def _creator(request: Request, parts: PartsOf, key: Writer) -> ApiKey:
    await _count(request, parts, key, creations_quota(parts.settings))
    return key


Creator = Annotated[ApiKey, Depends(_creator)]


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


def _enter(request: Request) -> None:
    """Note that the caller has one more call open; ``CallerMiddleware`` sees it out."""
    parts, key = parts_of(request), cast("ApiKey", request.state.caller)
    parts.open_calls.enter(key.id, most=parts.settings.key_max_open)
    request.state.leave = lambda: parts.open_calls.leave(key.id)


class CallerMiddleware:
    """Puts the caller's standing on every answer, also on errors and streams, and sees it out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""

        async def send_with_standing(message: Message) -> None:
            if message["type"] == "http.response.start":
                standing = scope.get("state", {}).get("rate_limit", {})
                headers = MutableHeaders(scope=message)
                headers.update(standing)
                headers.setdefault("X-Content-Type-Options", "nosniff")
            await send(message)

        try:
            await self._app(scope, receive, send_with_standing)
        finally:
            scope.get("state", {}).get("leave", _nobody_to_see_out)()


def _nobody_to_see_out() -> None:
    """For calls without a key."""
