"""Which URLs given by callers may be visited, and how: the guard against SSRF.

Pure: names are resolved by an injected function and nothing connects here. A URL is checked,
its name resolved once, *every* address checked, and the caller then connects to one of these
very addresses (``PinnedUrl``) with the original Host and SNI, so that a second DNS answer can
change nothing. Fetching itself lives with the gateway (images) and orchestrator (webhooks).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.errors import InvalidRequestError

Resolver = Callable[[str, int], Sequence[str]]
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_MAX_URL_CHARACTERS = 2048
_LABEL = re.compile(r"^(?!-)[a-z0-9_-]{1,63}(?<!-)$")
_NUMERIC_LABEL = re.compile(r"^(\d+|0x[0-9a-f]*)$")
# Ranges that translate or tunnel to IPv4, or that ``is_global`` lets through: an address in
# them can reach what we must not reach.
_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # local NAT64
        "2002::/16",  # 6to4
        "2001::/32",  # Teredo
        "::/96",  # IPv4-compatible
        "fec0::/10",  # site-local
        "100.64.0.0/10",  # carrier-grade NAT
        "192.0.0.0/24",
        "192.88.99.0/24",
    )
)


@dataclass(frozen=True, slots=True)
class UrlPolicy:
    """What is allowed beyond public https: both only for tests and one-machine set-ups."""

    allow_http: bool = False
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class PinnedUrl:
    """A checked URL whose host is an address; ``host_header`` and ``sni`` keep the name."""

    url: str
    host_header: str
    sni: str
    original: str


def system_resolver(host: str, port: int) -> list[str]:
    """All addresses the system gives for ``host``; empty when it knows none."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def pin_url(url: str, policy: UrlPolicy, *, resolver: Resolver = system_resolver) -> PinnedUrl:
    """Check ``url``, resolve its host once, and tie it to an address that may be visited.

    Raises:
        InvalidRequestError: if scheme, form, host or any of its addresses is not allowed.
    """
    scheme, host, port, target = _split(url, policy)
    addresses = _addresses_of(host, port, resolver)
    for address in addresses:
        if not policy.allow_private:
            _refuse_unless_public(address, host)
    default_port = 443 if scheme == "https" else 80
    suffix = "" if port == default_port else f":{port}"
    return PinnedUrl(
        url=f"{scheme}://{_bracketed(str(addresses[0]))}{suffix}{target}",
        host_header=_bracketed(host) + suffix,
        sni=host,
        original=url,
    )


def is_public(address: IpAddress) -> bool:
    """Whether ``address`` is an ordinary unicast address of the public internet."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if any(address in network for network in _REFUSED if network.version == address.version):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
        or address.is_loopback or address.is_link_local or address.is_private
    )  # fmt: skip


def _split(url: str, policy: UrlPolicy) -> tuple[str, str, int, str]:
    if len(url) > _MAX_URL_CHARACTERS or any(c <= " " or c in {"\x7f", "\\"} for c in url):
        raise InvalidRequestError("The URL is too long or contains forbidden characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidRequestError("The URL is malformed.") from error
    if parts.scheme != "https" and not (policy.allow_http and parts.scheme == "http"):
        raise InvalidRequestError("Only https:// URLs are accepted.")
    if parts.username is not None or parts.password is not None:
        raise InvalidRequestError("The URL must not contain a user name or password.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    default_port = 443 if parts.scheme == "https" else 80
    return parts.scheme, _host(parts.hostname or ""), port or default_port, target


def _host(raw: str) -> str:
    """The host in its one canonical form; odd spellings of addresses are refused."""
    if ":" in raw:
        try:
            return str(ipaddress.IPv6Address(raw))
        except ValueError as error:
            raise InvalidRequestError("The URL's host is malformed.") from error
    try:
        host = raw.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise InvalidRequestError("The URL's host is malformed.") from error
    labels = host.split(".")
    if not host or not all(_LABEL.match(label) for label in labels):
        raise InvalidRequestError("The URL's host is malformed.")
    if _NUMERIC_LABEL.match(labels[-1]):
        return _dotted_quad(host)
    return host


def _dotted_quad(host: str) -> str:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError as error:
        message = "The URL's host must be a name or a plain dotted address."
        raise InvalidRequestError(message) from error


def _addresses_of(host: str, port: int, resolver: Resolver) -> list[IpAddress]:
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    found = [ipaddress.ip_address(text.split("%")[0]) for text in resolver(host, port)]
    if not found:
        raise InvalidRequestError(f"The URL's host {host} is not known.")
    return found


def _refuse_unless_public(address: IpAddress, host: str) -> None:
    if not is_public(address):
        raise InvalidRequestError(f"The URL's host {host} has no public address.")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
