"""Fetches an image from a caller's URL without becoming the caller's tool.

Every hop is checked and pinned by ``shared.http.guard``; bytes and seconds are capped. What
the bytes are is decided by ``pictures``.
"""

from __future__ import annotations

from urllib.parse import urljoin

import anyio
import httpx

from shared.errors import InvalidRequestError, TooLargeError
from shared.http.guard import PinnedUrl, Resolver, UrlPolicy, pin_url, system_resolver

MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK = 200


class ImageFetcher:
    """Gets bytes behind public URLs; one instance lives as long as the app.

    Args:
        policy: what the guard lets through.
        max_bytes: of one answer.
        timeout_s: for one image, all hops together.
        transport: for tests; must not follow proxies or redirects.
        resolver: name -> addresses.
    """

    def __init__(
        self,
        *,
        policy: UrlPolicy,
        max_bytes: int,
        timeout_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
        resolver: Resolver = system_resolver,
    ) -> None:
        self._policy = policy
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._resolver = resolver
        # Cookies or kept connections of one caller must never meet another's request.
        self._client = httpx.AsyncClient(
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            timeout=timeout_s,
            limits=httpx.Limits(max_keepalive_connections=0, max_connections=32),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def fetch(self, url: str) -> bytes:
        """The bytes behind ``url``.

        Raises:
            InvalidRequestError: the URL or a redirect is not allowed, or it cannot be fetched.
            TooLargeError: more bytes than allowed.
        """
        try:
            with anyio.fail_after(self._timeout_s):
                return await self._follow(url)
        except TimeoutError as error:
            raise InvalidRequestError("The image URL did not answer in time.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise InvalidRequestError("The image URL could not be fetched.") from error

    async def _follow(self, url: str) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            pinned = await anyio.to_thread.run_sync(
                lambda target=url: pin_url(target, self._policy, resolver=self._resolver),
                abandon_on_cancel=True,
            )
            body, location = await self._visit(pinned)
            if location is None:
                return body
            url = _joined(url, location)
        raise InvalidRequestError(f"The image URL redirects more than {MAX_REDIRECTS} times.")

    async def _visit(self, pinned: PinnedUrl) -> tuple[bytes, str | None]:
        """One hop: either the bytes, or where it redirects to."""
        self._client.cookies.clear()
        async with self._client.stream(
            "GET",
            pinned.url,
            headers={"Host": pinned.host_header, "Accept": "image/*", "Accept-Encoding": ""},
            extensions={"sni_hostname": pinned.sni},
        ) as response:
            if response.status_code in _REDIRECTS and "location" in response.headers:
                return b"", response.headers["location"]
            if response.status_code != _OK:
                status = response.status_code
                raise InvalidRequestError(f"The image URL answered with status {status}.")
            return await self._read(response), None

    async def _read(self, response: httpx.Response) -> bytes:
        too_large = TooLargeError(f"An image may hold at most {self._max_bytes} bytes.")
        declared = response.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > self._max_bytes:
            raise too_large
        body = bytearray()
        # Raw: a compressed bomb must not be unpacked, and images are not sent compressed.
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._max_bytes:
                raise too_large
        return bytes(body)


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise InvalidRequestError("The image URL redirects to a malformed address.") from error
