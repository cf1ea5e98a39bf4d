"""Every route says which scope it needs, and a key without it gets nowhere.

The routes are taken from the app's own document, so a new one is covered, or fails here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from services.gateway.app import build_app
from services.gateway.auth import ALL_SCOPES, Scope
from services.gateway.routes.access import KeyedRoute
from services.gateway.settings import GatewaySettings
from services.gateway.wiring import open_parts
from tests.security.gateway import Gateway

NO_KEY_NEEDED = {
    "/", "/studio", "/studio/{path}", "/healthz", "/readyz", "/metrics", "/docs",
    "/docs/oauth2-redirect", "/redoc",
    "/openapi.json",
}  # fmt: skip
APP = build_app(GatewaySettings(), open_parts)
Operation = tuple[str, str, Scope]


def operations() -> Iterator[Operation]:
    """(method, path, the one scope that is declared) of every operation."""
    for path, methods in APP.openapi()["paths"].items():
        for method, operation in methods.items():
            if path in NO_KEY_NEEDED:
                continue
            (requirement,) = operation["security"]
            ((scope,),) = requirement.values()
            yield method.upper(), path, Scope(scope)


def call(client: httpx.Client, method: str, path: str) -> httpx.Response:
    return client.request(method, re.sub(r"\{\w+\}", "1", path), json={})


def test_every_route_of_the_app_is_either_open_to_all_or_keyed() -> None:
    document = APP.openapi()["paths"]
    found = [inner for route in APP.routes for inner in routes_under(route)]
    for route in found:
        path = str(getattr(route, "path_format", getattr(route, "path", "")))
        if path not in NO_KEY_NEEDED:
            assert isinstance(route, KeyedRoute), path
            assert path in document, f"{path} is not in the document"
    assert len(found) >= len(document)


def routes_under(route: object) -> list[object]:
    """The routes that an included router stands for, or the route itself."""
    router = getattr(route, "original_router", None)
    return [route] if router is None else list(router.routes)


def test_there_are_routes_for_every_scope_but_the_one_for_all() -> None:
    assert {scope for _, _, scope in operations()} == set(Scope) - {Scope.ADMIN}
    assert len(list(operations())) >= 30


@pytest.mark.parametrize("operation", list(operations()), ids=lambda each: f"{each[0]} {each[1]}")
def test_a_key_with_every_other_scope_is_refused_by_name(
    gateway: Gateway, operation: Operation
) -> None:
    method, path, scope = operation
    others = tuple(each for each in ALL_SCOPES if each not in {scope, Scope.ADMIN})
    with gateway.client(gateway.key("ten_scopes", scopes=others)) as client:
        answer = call(client, method, path)
    assert answer.status_code == 403, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "forbidden"
    assert f"`{scope.value}`" in answer.json()["detail"]


@pytest.mark.parametrize("operation", list(operations()), ids=lambda each: f"{each[0]} {each[1]}")
def test_the_declared_scope_alone_is_enough(gateway: Gateway, operation: Operation) -> None:
    method, path, scope = operation
    with gateway.client(gateway.key("ten_scopes", scopes=(scope,))) as client:
        answer = call(client, method, path)
    assert answer.status_code in {200, 201, 202, 404, 415, 422}, answer.text


def test_without_a_key_nothing_is_answered_and_no_body_is_read(gateway: Gateway) -> None:
    with gateway.client(None) as stranger:
        answers = [call(stranger, method, path) for method, path, _ in operations()]
        rubbish = stranger.post(
            "/v1/trajectories",
            content=b"[" * 1_000_000,
            headers={"Content-Type": "application/json"},
        )
    assert {answer.status_code for answer in [*answers, rubbish]} == {401}
    assert all("www-authenticate" in answer.headers for answer in answers)


def test_an_administrator_may_do_everything(gateway: Gateway) -> None:
    with gateway.client(gateway.key("ten_scopes", scopes=(Scope.ADMIN,))) as client:
        answers = [call(client, method, path) for method, path, _ in operations()]
    assert not {answer.status_code for answer in answers} & {401, 403}


def test_an_expired_key_is_no_key(gateway: Gateway) -> None:
    key = gateway.key("ten_scopes", lifetime=timedelta(seconds=-1))
    with gateway.client(key) as client:
        assert client.get("/v1/trajectories").status_code == 401
