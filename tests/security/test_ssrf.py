"""Callers' URLs against the real gateway: real DNS answers, real TLS, nothing leaves.

Names are answered by a DNS server on loopback, every connection is dialled into a recorder, and
behind both stands the wall of this folder.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from functools import partial

import httpx
import pytest

from services.gateway.settings import GatewaySettings
from services.gateway.wiring import open_parts
from services.orchestrator.sending import Sender
from shared.contracts.webhooks import Delivery
from shared.http.guard import UrlPolicy
from tests.security.belongings import picture
from tests.security.gateway import Gateway, served
from tests.security.internet import Internet, serving_pages
from tests.security.names import Names, serving_names
from tests.security.walls import Wall

PUBLIC, OTHER = "93.184.215.14", "151.101.1.6"
LITERALS = [
    "https://127.0.0.1/", "https://127.0.0.1./", "https://127.1/", "https://127.0.1/",
    "https://0/", "https://0.0.0.0/", "https://2130706433/", "https://017700000001/",
    "https://0177.0.0.1/", "https://0177.0.0.01/", "https://0x7f.0.0.1/", "https://0x7f000001/",
    "https://0x7f.1/", "https://127.0.0.0x1/", "https://[::1]/", "https://[::]/",
    "https://[0:0:0:0:0:0:0:1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/", "https://[64:ff9b::127.0.0.1]/", "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/", "https://[2002:a00:1::1]/", "https://[2001:0:7f00:1::]/",
    "https://[fe80::1%25lo]/", "https://[::1%25lo]/", "https://[::1%lo]/", "https://[fc00::1]/",
    "https://[fec0::1]/", "https://[ff02::1]/", "https://[::ffff:0:127.0.0.1]/",
    "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.0.1/", "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/", "https://192.0.0.192/", "https://198.18.0.1/",
    "https://224.0.0.1/", "https://255.255.255.255/", "https://240.0.0.1/",
    "https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://１２７.0.0.1/",
    "https://127.0.0.1\t/", "https://127.0.0.1%00.public.test/", "https://127%2e0%2e0%2e1/",
]  # fmt: skip
TRICKS = [
    "https://public.test@127.0.0.1/", "https://127.0.0.1:443@public.test/",
    "https://public.test:pw@public.test/", "https://public.test\\@127.0.0.1/",
    "https://public.test:443:80/", "https://public.test:port/", "https://public.test:70000/",
    "http://public.test/", "ftp://public.test/", "gopher://public.test/", "file:///etc/passwd",
    "https:///public.test/", "https://", "https://./", "https://.public.test/",
    "https://public..test/", "https://-public.test/", "//public.test/",
    "https://public.test/\r\nHost: 127.0.0.1", "https://" + "a" * 70 + ".test/",
    "https://" + "a." * 200 + "test/", "https://public.test/" + "a" * 3000,
]  # fmt: skip
HOSTILE_NAMES = {
    "loop.test": ["127.0.0.1"],
    "private.test": ["10.1.2.3"],
    "meta.test": ["169.254.169.254"],
    "shared.test": ["100.64.0.1"],
    "zero.test": ["0.0.0.0"],  # noqa: S104
    "six.test": ["::1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "nat64.test": ["64:ff9b::7f00:1"],
    "six-to-four.test": ["2002:7f00:1::"],
    "unique.test": ["fd00::1"],
    "mixed.test": [PUBLIC, "10.0.0.1"],
    "both-kinds.test": [PUBLIC, "::1"],
    "alias.test": ["private.test"],
    "nobody.test": [],
    "turned.test": ["127.0.0.1"],
}
REDIRECTS = [
    "https://loop.test/", "https://127.0.0.1/", "https://[::ffff:7f00:1]/", "//private.test/x",
    "http://public.test/", "https://2130706433/", "https://a@public.test/",
    "https://[::1", "https://a]b/",
    "https://public.test:99999/", "file:///etc/passwd", "https://turned.test/", "\\\\127.0.0.1\\",
    "https://public.test/loop",
]  # fmt: skip


@pytest.fixture
def names() -> Generator[Names]:
    zone = {name: [answer] for name, answer in HOSTILE_NAMES.items()}
    zone |= {"public.test": [[PUBLIC]], "other.test": [[OTHER]], "wrong-name.test": [[PUBLIC]]}
    zone |= {"rebind.test": [[PUBLIC], ["127.0.0.1"]], "turns.test": [["127.0.0.1"], [PUBLIC]]}
    with serving_names(Names(zone)) as running:
        yield running


@pytest.fixture
def internet() -> Generator[Internet]:
    with serving_pages(Internet()) as running:
        yield running


@pytest.fixture
def client(settings: GatewaySettings, names: Names, internet: Internet) -> Generator[httpx.Client]:
    parts = partial(open_parts, resolver=names.resolve, transport=internet.transport())
    with served(settings, parts) as gateway, gateway.client(gateway.key("ten_ssrf")) as client:
        yield client


def continued(client: httpx.Client, url: str) -> httpx.Response:
    """A request that has the gateway fetch this."""
    return client.post("/v1/trajectories", json={"prompt": "<image>", "images": [url]})


def refused(answer: httpx.Response, pointer: str) -> bool:
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    return [error["pointer"] for error in problem["errors"]] == [pointer] and problem["detail"]


def test_no_spelling_of_an_address_of_ours_is_visited(
    client: httpx.Client, internet: Internet, names: Names
) -> None:
    for url in [*LITERALS, *TRICKS]:
        assert refused(continued(client, url), "/images/0"), url
    assert internet.dialled == []
    assert not set(names.asked) - {"public.test"}, "addresses are no names"


def test_no_name_that_leads_inside_is_visited(
    client: httpx.Client, internet: Internet, names: Names
) -> None:
    for name in HOSTILE_NAMES:
        assert refused(continued(client, f"https://{name}/x"), "/images/0"), name
        assert names.asked[name] >= 1, "the name was really asked for"
    assert internet.dialled == []


def test_webhooks_are_held_to_the_same(client: httpx.Client, internet: Internet) -> None:
    urls = [*LITERALS, *TRICKS, *(f"https://{name}/x" for name in HOSTILE_NAMES)]
    for url in urls:
        body = {"prompt": "a seed", "webhook": {"url": url}}
        assert refused(client.post("/v1/trajectories", json=body), "/webhook/url"), url
        answer = client.post("/v1/webhook-endpoints", json={"url": url})
        assert refused(answer, "/url"), url
    assert internet.dialled == []


def test_a_public_image_is_fetched_from_the_address_that_was_checked(
    client: httpx.Client, internet: Internet, names: Names
) -> None:
    internet.pages["public.test/a.png"] = (200, {}, picture("fetched"))
    answer = continued(client, "https://public.test/a.png")
    assert answer.status_code == 202, answer.text
    assert internet.dialled == [(PUBLIC, 443)]
    assert names.asked["public.test"] == 1


def test_a_name_whose_second_answer_is_inside_is_visited_where_it_was_checked(
    client: httpx.Client, internet: Internet, names: Names
) -> None:
    internet.pages["rebind.test/a.png"] = (200, {}, picture("fetched"))
    first = continued(client, "https://rebind.test/a.png")
    assert first.status_code == 202, first.text
    assert (internet.dialled, names.asked["rebind.test"]) == ([(PUBLIC, 443)], 1)
    second = continued(client, "https://rebind.test/a.png")
    assert refused(second, "/images/0")
    assert (internet.dialled, names.asked["rebind.test"]) == ([(PUBLIC, 443)], 2)


def test_a_name_whose_first_answer_is_inside_is_not_asked_again(
    client: httpx.Client, internet: Internet, names: Names
) -> None:
    assert refused(continued(client, "https://turns.test/"), "/images/0")
    assert (internet.dialled, names.asked["turns.test"]) == ([], 1)


@pytest.mark.parametrize("target", REDIRECTS)
def test_a_redirect_is_checked_like_a_first_address(
    client: httpx.Client, internet: Internet, target: str
) -> None:
    internet.pages["public.test/loop"] = (302, {"Location": "https://public.test/loop"}, b"")
    internet.pages["public.test/a"] = (302, {"Location": target}, b"")
    assert refused(continued(client, "https://public.test/a"), "/images/0")
    assert set(internet.dialled) == {(PUBLIC, 443)}


def test_a_redirect_to_another_public_place_is_followed_there(
    client: httpx.Client, internet: Internet
) -> None:
    internet.pages["public.test/a"] = (302, {"Location": "https://other.test:8443/b"}, b"")
    internet.pages["other.test:8443/b"] = (200, {}, picture("fetched"))
    answer = continued(client, "https://public.test/a")
    assert answer.status_code == 202, answer.text
    assert internet.dialled == [(PUBLIC, 443), (OTHER, 8443)]


def test_a_server_without_a_certificate_for_the_name_is_not_believed(
    client: httpx.Client, internet: Internet
) -> None:
    internet.pages["wrong-name.test/a"] = (200, {}, picture("fetched"))
    assert refused(continued(client, "https://wrong-name.test/a"), "/images/0")


def delivery(url: str) -> Delivery:
    return Delivery(
        id="msg_1",
        tenant="ten_ssrf",
        trajectory_id="trj_1",
        sequence=1,
        event="trajectory.succeeded",
        url=url,
        body="{}",
        created_at=datetime.now(UTC),
    )


def test_a_webhook_address_is_resolved_and_checked_at_every_try(
    names: Names, internet: Internet
) -> None:
    secrets, now, url = ["whsec_AAAA"], datetime.now(UTC), "https://rebind.test/hook"
    internet.pages["rebind.test/hook"] = (302, {"Location": "https://other.test/"}, b"")
    with httpx.Client(transport=internet.sync_transport(), follow_redirects=False) as plain:
        sender = Sender(plain, policy=UrlPolicy(), resolver=names.resolve)
        first = sender.send(delivery(url), url=url, secrets=secrets, now=now)
        second = sender.send(delivery(url), url=url, secrets=secrets, now=now)
    assert (first.status_code, first.delivered) == (302, False)
    assert (second.status_code, second.hopeless) == (None, True)
    assert internet.dialled == [(PUBLIC, 443)]


def test_the_wall_stops_what_a_wrong_guard_lets_through(
    settings: GatewaySettings, wall: Wall
) -> None:
    wrong = settings.model_copy(update={"allow_http_urls": True, "allow_private_urls": True})
    with served(wrong) as gateway, gateway.client(gateway.key("ten_ssrf")) as client:
        literal = continued(client, "http://192.0.2.1/")
        name = continued(client, "http://nowhere.example/")
    assert (literal.status_code, name.status_code) == (422, 422)
    assert wall.hits == [
        ("socket.connect", "192.0.2.1"),
        ("socket.getaddrinfo", "nowhere.example"),
    ]
    wall.hits.clear()


def test_the_gateway_under_test_has_the_usual_policy(settings: GatewaySettings) -> None:
    assert settings.url_policy == UrlPolicy(allow_http=False, allow_private=False)
    assert Gateway(0, settings).settings.fetch_timeout_s > 0
