"""Fetching callers' URLs: an injected resolver and a recording connector, nothing leaves."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest

from services.gateway.fetcher import ImageFetcher
from shared.errors import InvalidRequestError, TooLargeError
from shared.http.guard import UrlPolicy

PUBLIC = "93.184.215.14"
Answers = dict[str, httpx.Response]


class Web:
    """Answers by host and path, and remembers who was asked."""

    def __init__(self, answers: Answers, addresses: dict[str, str] | None = None) -> None:
        self.answers = answers
        self.addresses = addresses or {}
        self.visited: list[httpx.Request] = []

    def visit(self, request: httpx.Request) -> httpx.Response:
        self.visited.append(request)
        return self.answers[request.headers["host"] + request.url.path]

    @asynccontextmanager
    async def fetcher(self, *, max_bytes: int = 1000) -> AsyncGenerator[ImageFetcher]:
        fetcher = ImageFetcher(
            policy=UrlPolicy(),
            max_bytes=max_bytes,
            timeout_s=0.3,
            transport=httpx.MockTransport(self.visit),
            resolver=lambda host, _port: [self.addresses.get(host, PUBLIC)],
        )
        yield fetcher
        await fetcher.close()


def page(body: bytes) -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(body))


def redirect(target: str) -> httpx.Response:
    return httpx.Response(302, headers={"Location": target})


async def test_the_connection_goes_to_the_checked_address_with_name_and_sni() -> None:
    web = Web({"a.example/x": page(b"image")})
    async with web.fetcher() as fetcher:
        assert await fetcher.fetch("https://a.example/x") == b"image"
    (request,) = web.visited
    assert request.url.host == PUBLIC
    assert request.headers["host"] == "a.example"
    assert request.extensions["sni_hostname"] == "a.example"
    assert "authorization" not in request.headers


async def test_redirects_are_followed_and_each_hop_is_pinned() -> None:
    web = Web(
        {"a.example/x": redirect("//b.example/y"), "b.example/y": page(b"image")},
        {"b.example": "151.101.1.6"},
    )
    async with web.fetcher() as fetcher:
        assert await fetcher.fetch("https://a.example/x") == b"image"
    assert [request.url.host for request in web.visited] == [PUBLIC, "151.101.1.6"]


@pytest.mark.parametrize(
    "target", ["http://a.example/y", "https://inside.example/", "https://[::1]/", "file:///x"]
)
async def test_a_redirect_to_a_forbidden_place_is_not_followed(target: str) -> None:
    web = Web({"a.example/x": redirect(target)}, {"inside.example": "10.0.0.1"})
    async with web.fetcher() as fetcher:
        with pytest.raises(InvalidRequestError):
            await fetcher.fetch("https://a.example/x")
    assert len(web.visited) == 1


async def test_a_redirect_loop_ends() -> None:
    web = Web({"a.example/x": redirect("/x")})
    async with web.fetcher() as fetcher:
        with pytest.raises(InvalidRequestError, match="redirects"):
            await fetcher.fetch("https://a.example/x")
    assert len(web.visited) == 4


async def test_too_many_bytes_are_cut_off_announced_or_not() -> None:
    announced = httpx.Response(200, headers={"Content-Length": "5000"}, stream=Endless())
    endless = httpx.Response(200, stream=Endless())
    web = Web({"a.example/x": announced, "a.example/y": endless})
    async with web.fetcher() as fetcher:
        for path in ("x", "y"):
            with pytest.raises(TooLargeError):
                await fetcher.fetch(f"https://a.example/{path}")


async def test_a_server_that_hangs_is_left_in_time() -> None:
    web = Web({"a.example/x": httpx.Response(200, stream=Hanging())})
    async with web.fetcher() as fetcher:
        with pytest.raises(InvalidRequestError, match="in time"):
            await fetcher.fetch("https://a.example/x")


async def test_an_error_status_is_no_image() -> None:
    web = Web({"a.example/x": httpx.Response(500)})
    async with web.fetcher() as fetcher:
        with pytest.raises(InvalidRequestError, match="500"):
            await fetcher.fetch("https://a.example/x")


class Endless(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncGenerator[bytes]:
        while True:
            yield b"x" * 100


class Hanging(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncGenerator[bytes]:
        await anyio.sleep(30)
        yield b""
