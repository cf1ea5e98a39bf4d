"""Signing, the schedule of tries, and which addresses are visited."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import pytest
import standardwebhooks

from services.orchestrator.sending import Sender, signature
from services.orchestrator.webhooks import TRIES_AT_S, Deliverer
from shared.contracts.webhooks import (
    Delivery,
    DeliveryStatus,
    DisabledReason,
    SigningKey,
    WebhookEndpoint,
)
from shared.http.guard import UrlPolicy
from shared.stores.tenants import new_webhook_secret
from tests.fakes.endpoints import InMemoryEndpointStore
from tests.trajectories import START

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class DeliveriesInMemory:
    """A ``DeliveryStore`` with one delivery."""

    def __init__(self, url: str, endpoint: str | None) -> None:
        self.gone: set[str] = set()
        self.delivery = Delivery(
            id="msg_1",
            tenant="ten_1",
            trajectory_id="trj_1",
            sequence=5,
            event="trajectory.succeeded",
            url=url,
            endpoint=endpoint,
            body='{"type":"trajectory.succeeded"}',
            created_at=START,
        )
        self.next_at: datetime | None = START
        self.behind: list[Delivery] = []

    def load(self, delivery_id: str) -> Delivery | None:
        return self.delivery

    def due(self, now: datetime, *, limit: int) -> list[str]:
        return []

    def claim(self, delivery_id: str, *, now: datetime, busy_s: float) -> Delivery | None:
        due = self.next_at is not None and self.next_at <= now
        return self.delivery if due else None

    def record(self, delivery: Delivery, *, next_at: datetime | None) -> None:
        self.delivery, self.next_at = delivery, next_at

    def claim_next(self, tried: Delivery, *, now: datetime, busy_s: float) -> Delivery | None:
        return self.behind.pop(0) if self.behind else None

    def trim(self, *, older_than: datetime, most: int) -> int:
        return 0

    def replay(self, delivery_id: str, *, now: datetime) -> Delivery | None:
        return None

    def page(
        self, tenant: str, *, limit: int, cursor: str | None, endpoint: str | None = None
    ) -> tuple[list[Delivery], str | None]:
        return [], None

    def mark_gone(self, trajectory_id: str) -> None:
        self.gone.add(trajectory_id)

    def is_gone(self, trajectory_id: str) -> bool:
        return trajectory_id in self.gone


class Secrets:
    def webhook_secret(self, tenant: str) -> str | None:
        return SECRET if tenant == "ten_1" else None


class Bench:
    """A deliverer whose clock and receiver the test controls."""

    def __init__(
        self,
        answer: Callable[[httpx.Request], httpx.Response],
        *,
        url: str = "https://hooks.example.com/a?b=c",
        address: str = "93.184.216.34",
        endpoint: WebhookEndpoint | None = None,
    ) -> None:
        self.now = START
        self.requests: list[httpx.Request] = []
        self.addresses = [address]
        self.endpoints = InMemoryEndpointStore()
        if endpoint is not None:
            self.endpoints.add(endpoint)
        self.store = DeliveriesInMemory(url, None if endpoint is None else endpoint.id)

        def receive(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return answer(request)

        client = httpx.Client(transport=httpx.MockTransport(receive), follow_redirects=False)
        sender = Sender(client, policy=UrlPolicy(), resolver=lambda _host, _port: self.addresses)
        self.deliverer = Deliverer(
            self.store,
            sender,
            secrets=Secrets(),
            endpoints=self.endpoints,
            clock=lambda: self.now,
            busy_s=30,
            jitter=lambda: 0.0,
        )

    def deliver(self) -> Delivery:
        self.deliverer.deliver("msg_1")
        return self.store.delivery


def answers(status: int) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, headers={"location": "https://elsewhere.example.com"})


def test_the_signature_is_that_of_the_standard() -> None:
    wanted = standardwebhooks.Webhook(SECRET).sign("msg_1", START, "{}")
    ours = signature(SECRET, "msg_1", timestamp_s=int(START.timestamp()), body="{}")
    assert ours == wanted


def test_a_delivery_goes_to_the_checked_address_under_its_own_name() -> None:
    bench = Bench(answers(204))
    assert bench.deliver().status is DeliveryStatus.DELIVERED
    (request,) = bench.requests
    assert str(request.url) == "https://93.184.216.34/a?b=c"
    assert request.headers["host"] == "hooks.example.com"
    assert request.extensions["sni_hostname"] == "hooks.example.com"
    assert request.headers["webhook-id"] == "msg_1"
    assert bench.store.next_at is None


def test_tries_follow_the_schedule_and_then_end() -> None:
    bench = Bench(answers(500))
    for _ in range(len(TRIES_AT_S)):
        assert bench.store.next_at is not None
        bench.now = bench.store.next_at
        bench.deliver()
    delivery = bench.store.delivery
    assert [(each.at - START).total_seconds() for each in delivery.tries] == list(TRIES_AT_S)
    assert delivery.status is DeliveryStatus.FAILED
    assert bench.store.next_at is None
    assert {request.headers["webhook-id"] for request in bench.requests} == {"msg_1"}


def test_events_that_waited_for_the_first_try_follow_at_once_whatever_came_of_it() -> None:
    bench = Bench(answers(500))
    later = [bench.store.delivery.model_copy(update={"id": f"msg_{n}"}) for n in (2, 3)]
    bench.store.behind += later
    bench.deliver()
    assert [r.headers["webhook-id"] for r in bench.requests] == ["msg_1", "msg_2", "msg_3"]
    assert bench.store.next_at == START + timedelta(seconds=TRIES_AT_S[1])


def test_a_second_try_does_not_take_others_along() -> None:
    bench = Bench(answers(500))
    bench.deliver()
    assert bench.store.next_at is not None
    bench.now = bench.store.next_at
    bench.store.behind.append(bench.store.delivery.model_copy(update={"id": "msg_2"}))
    bench.deliver()
    assert {request.headers["webhook-id"] for request in bench.requests} == {"msg_1"}


def test_nothing_is_sent_before_it_is_due() -> None:
    bench = Bench(answers(500))
    bench.deliver()
    bench.now += timedelta(seconds=4)
    bench.deliver()
    assert len(bench.requests) == 1


def test_after_a_long_outage_tries_do_not_come_all_at_once() -> None:
    bench = Bench(answers(500))
    bench.deliver()
    bench.now += timedelta(hours=9)
    bench.deliver()
    assert bench.store.next_at is not None
    assert bench.store.next_at - bench.now >= timedelta(seconds=5)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 429, 503])
def test_only_2xx_is_success_and_redirects_are_not_followed(status: int) -> None:
    bench = Bench(answers(status))
    assert bench.deliver().status is DeliveryStatus.PENDING
    assert len(bench.requests) == 1


def test_gone_ends_it() -> None:
    bench = Bench(answers(410))
    assert bench.deliver().status is DeliveryStatus.DISABLED
    assert bench.store.next_at is None


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1"])
def test_a_private_address_is_never_visited(address: str) -> None:
    bench = Bench(answers(200), address=address)
    assert bench.deliver().status is DeliveryStatus.FAILED
    assert bench.requests == []


def test_a_receiver_that_cannot_be_reached_is_tried_again() -> None:
    def refuses(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    bench = Bench(refuses)
    delivery = bench.deliver()
    assert delivery.status is DeliveryStatus.PENDING
    assert delivery.tries[0].detail == "ConnectError"


NEW, OLD = new_webhook_secret(), new_webhook_secret()
HOUR = timedelta(hours=1)


def endpoint(**changes: object) -> WebhookEndpoint:
    """An endpoint in the middle of a rotation."""
    keys = (SigningKey(secret=NEW), SigningKey(secret=OLD, expires_at=START + HOUR))
    made = WebhookEndpoint(
        id="whe_1",
        tenant="ten_1",
        url="https://endpoint.example.com/in",
        keys=keys,
        created_at=START,
        updated_at=START,
    )
    return made.model_copy(update=changes)


def verified_with(secret: str, request: httpx.Request) -> bool:
    headers = {
        name: value for name, value in request.headers.items() if name.startswith("webhook-")
    }
    # The standard refuses old time stamps: the tests' clock is moved to now by signing again.
    signatures = headers["webhook-signature"].split()
    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=START.tzinfo)
    body = request.content.decode()
    wanted = standardwebhooks.Webhook(secret).sign(headers["webhook-id"], moment, body)
    return wanted in signatures


def test_during_a_rotation_both_secrets_sign_and_afterwards_the_new_one_alone() -> None:
    bench = Bench(answers(500), endpoint=endpoint())
    bench.deliver()
    bench.now = START + 2 * HOUR
    bench.deliver()
    first, second = bench.requests
    assert [verified_with(secret, first) for secret in (NEW, OLD)] == [True, True]
    assert [verified_with(secret, second) for secret in (NEW, OLD)] == [True, False]
    assert str(first.url.path) == "/in"
    assert not verified_with(SECRET, first)


def test_gone_switches_the_endpoint_off_for_everything_that_follows() -> None:
    bench = Bench(answers(410), endpoint=endpoint())
    assert bench.deliver().status is DeliveryStatus.DISABLED
    (switched,) = bench.endpoints.of("ten_1")
    assert (switched.disabled_at, switched.disabled_reason) == (START, DisabledReason.GONE)
    bench.store.next_at = START
    bench.store.delivery = bench.store.delivery.model_copy(
        update={"status": DeliveryStatus.PENDING}
    )
    assert bench.deliver().status is DeliveryStatus.DISABLED
    assert len(bench.requests) == 1


def test_an_endpoint_is_taken_as_it_is_when_the_try_is_made() -> None:
    bench = Bench(answers(204), endpoint=endpoint())
    moved = {"url": "https://moved.example.com/new"}
    bench.endpoints.change("ten_1", "whe_1", lambda old: old.model_copy(update=moved))
    bench.deliver()
    assert bench.requests[0].headers["host"] == "moved.example.com"


def test_a_deleted_endpoint_gets_nothing() -> None:
    bench = Bench(answers(204), endpoint=endpoint())
    bench.endpoints.remove("ten_1", "whe_1")
    delivery = bench.deliver()
    assert (delivery.status, delivery.tries[0].detail) == (
        DeliveryStatus.FAILED,
        "The endpoint was deleted.",
    )
    assert bench.requests == []


def test_the_address_is_checked_again_at_every_try() -> None:
    bench = Bench(answers(500), endpoint=endpoint())
    assert bench.deliver().status is DeliveryStatus.PENDING
    assert bench.store.next_at is not None
    bench.now, bench.addresses = bench.store.next_at, ["169.254.169.254"]
    assert bench.deliver().status is DeliveryStatus.FAILED
    assert len(bench.requests) == 1


def test_gone_ends_all_deliveries_to_the_address_that_a_request_named() -> None:
    bench = Bench(answers(410))
    bench.deliver()
    bench.store.next_at = START
    bench.store.delivery = bench.store.delivery.model_copy(
        update={"id": "msg_2", "status": DeliveryStatus.PENDING, "tries": ()}
    )
    assert bench.deliver().status is DeliveryStatus.DISABLED
    assert len(bench.requests) == 1
