"""The SSRF guard: no name here is ever resolved by a real resolver."""

from __future__ import annotations

import pytest

from shared.errors import InvalidRequestError
from shared.http.guard import PinnedUrl, UrlPolicy, pin_url

PUBLIC = "93.184.215.14"


def pin(url: str, *answers: str, policy: UrlPolicy | None = None) -> PinnedUrl:
    return pin_url(url, policy or UrlPolicy(), resolver=lambda _host, _port: answers or (PUBLIC,))


def test_a_public_https_url_is_tied_to_its_address_and_keeps_its_name() -> None:
    pinned = pin("https://Example.com/a?b=c#d")
    assert pinned.url == f"https://{PUBLIC}/a?b=c"
    assert pinned.host_header == "example.com"
    assert pinned.sni == "example.com"


def test_a_port_of_its_own_stays_in_url_and_host_header() -> None:
    pinned = pin("https://example.com:8443/")
    assert (pinned.url, pinned.host_header) == (f"https://{PUBLIC}:8443/", "example.com:8443")


def test_an_ipv6_address_is_bracketed() -> None:
    pinned = pin("https://example.com/x", "2606:4700::1111")
    assert pinned.url == "https://[2606:4700::1111]/x"


@pytest.mark.parametrize(
    "answer",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",  # noqa: S104
        "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "::7f00:1", "fec0::1",
        "2001:db8::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused(answer: str) -> None:
    with pytest.raises(InvalidRequestError, match="no public address"):
        pin("https://example.com/", answer)


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(InvalidRequestError):
        pin("https://example.com/", PUBLIC, "10.0.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https://", "https:///x",
        "https://2130706433/", "https://0177.0.0.1/", "https://0x7f.1/", "https://0x7f000001/",
        "https://127.1/", "https://1.2.3.4.5/", "https://user:pw@example.com/",
        "https://example.com:99999/", "https://exa mple.com/", "https://example.com\\@evil.com/",
        "https://a..b/", "https://[::1/", "https://[::1%25eth0]/", "//example.com/",
        "https://" + "a" * 3000 + ".com/",
        "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:7f00:1]/",
    ],
)  # fmt: skip
def test_an_odd_or_forbidden_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequestError):
        pin(url)


def test_a_host_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="not known"):
        pin_url("https://nowhere.example/", UrlPolicy(), resolver=lambda _h, _p: [])


def test_the_name_is_resolved_exactly_once() -> None:
    asked: list[str] = []

    def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return [PUBLIC] if len(asked) == 1 else ["127.0.0.1"]

    assert PUBLIC in pin_url("https://rebind.example/", UrlPolicy(), resolver=resolver).url
    assert asked == ["rebind.example"]


def test_local_tests_may_allow_http_and_private_addresses() -> None:
    policy = UrlPolicy(allow_http=True, allow_private=True)
    assert pin("http://127.0.0.1:8080/x", policy=policy).url == "http://127.0.0.1:8080/x"
