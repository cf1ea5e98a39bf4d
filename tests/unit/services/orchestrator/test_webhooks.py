"""Signing, the schedule of tries, and which addresses are visited."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import pytest
import standardwebhooks

from services.orchestrator.webhooks import TRIES_AT_S, Deliverer, Sender, signature
from shared.contracts.webhooks import Delivery, DeliveryStatus
from shared.http.guard import UrlPolicy
from tests.trajectories import START

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class DeliveriesInMemory:
    """A ``DeliveryStore`` with one delivery."""

    def __init__(self, url: str) -> None:
        self.delivery = Delivery(
            id="msg_1",
            tenant="ten_1",
            trajectory_id="trj_1",
            sequence=5,
            event="trajectory.succeeded",
            url=url,
            body='{"type":"trajectory.succeeded"}',
            created_at=START,
        )
        self.next_at: datetime | None = START

    def load(self, delivery_id: str) -> Delivery | None:
        return self.delivery

    def due(self, now: datetime, *, limit: int) -> list[str]:
        return []

    def claim(self, delivery_id: str, *, now: datetime, busy_s: float) -> Delivery | None:
        due = self.next_at is not None and self.next_at <= now
        return self.delivery if due else None

    def record(self, delivery: Delivery, *, next_at: datetime | None) -> None:
        self.delivery, self.next_at = delivery, next_at

    def replay(self, delivery_id: str, *, now: datetime) -> Delivery | None:
        return None

    def page(
        self, tenant: str, *, limit: int, cursor: str | None
    ) -> tuple[list[Delivery], str | None]:
        return [], None


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
    ) -> None:
        self.now = START
        self.requests: list[httpx.Request] = []
        self.store = DeliveriesInMemory(url)

        def receive(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return answer(request)

        client = httpx.Client(transport=httpx.MockTransport(receive), follow_redirects=False)
        sender = Sender(client, policy=UrlPolicy(), resolver=lambda _host, _port: [address])
        self.deliverer = Deliverer(
            self.store,
            sender,
            secrets=Secrets(),
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
