"""Webhooks from a real worker to a real receiver, verified with the standard's own library."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import standardwebhooks

from shared.contracts.trajectories import Trajectory, WebhookTarget
from shared.contracts.webhooks import (
    Delivery,
    DeliveryStatus,
    DisabledReason,
    SigningKey,
    WebhookEndpoint,
)
from shared.stores.accounts import AccountRecords
from shared.stores.deliveries import RedisDeliveryStore
from shared.stores.endpoints import AccountEndpointStore
from shared.stores.tenants import AccountTenantStore, new_webhook_secret
from tests.integration.orchestrator.stack import Stack, running_stack
from tests.servers import ValkeyServer, running_valkey
from tests.trajectories import START

SECRET = new_webhook_secret()


class Receiver(ThreadingHTTPServer):
    """Writes down what is posted; answers the statuses it was given, then 204."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[int] = []
        self.received: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def stack(valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("webhooks")
    with running_stack(valkey, folder) as stack:
        AccountTenantStore(AccountRecords(stack.client)).ensure("ten_1", webhook_secret=SECRET)
        stack.start("worker")
        stack.start("reaper")
        yield stack


def _delivery(stack: Stack, state: Trajectory) -> Delivery:
    delivery_id = f"msg_{state.id.removeprefix('trj_')}_{state.sequence}"

    def ended() -> Delivery | None:
        delivery = RedisDeliveryStore(stack.client).load(delivery_id)
        return delivery if delivery is not None and delivery.status.final else None

    return stack.wait(ended, timeout_s=20)


def test_a_final_state_reaches_the_receiver_signed(stack: Stack, receiver: Receiver) -> None:
    submitted = stack.submit(webhook=WebhookTarget(url=receiver.url))
    done = stack.finished(submitted.id)
    assert _delivery(stack, done).status is DeliveryStatus.DELIVERED
    ((headers, body),) = receiver.received
    standardwebhooks.Webhook(SECRET).verify(body, headers)
    told = json.loads(body)
    assert told["type"] == "trajectory.succeeded"
    assert told["data"]["trajectory_id"] == done.id
    assert told["data"]["sequence"] == done.sequence


def test_a_receiver_that_fails_once_gets_the_same_message_again(
    stack: Stack, receiver: Receiver
) -> None:
    receiver.statuses = [500]
    done = stack.finished(stack.submit(webhook=WebhookTarget(url=receiver.url)).id)
    delivery = _delivery(stack, done)
    assert [each.status_code for each in delivery.tries] == [500, 204]
    (first, first_body), (second, second_body) = receiver.received
    assert first["webhook-id"] == second["webhook-id"]
    assert first_body == second_body
    assert (delivery.tries[1].at - delivery.tries[0].at).total_seconds() >= 5


def _endpoint(stack: Stack, url: str, *secrets: str) -> WebhookEndpoint:
    """An endpoint that wants everything and signs with all of these."""
    made = WebhookEndpoint(
        id="whe_" + "0" * 24,
        tenant="ten_1",
        url=url,
        events=("*",),
        keys=tuple(SigningKey(secret=secret) for secret in secrets),
        created_at=START,
        updated_at=START,
    )
    AccountEndpointStore(AccountRecords(stack.client)).add(made)
    return made


def test_an_endpoint_hears_everything_though_state_store_and_worker_are_killed_meanwhile(
    tmp_path: Path, receiver: Receiver
) -> None:
    new, old = new_webhook_secret(), new_webhook_secret()
    with running_valkey(tmp_path / "valkey") as valkey, running_stack(valkey, tmp_path) as stack:
        endpoint = _endpoint(stack, receiver.url, new, old)
        stack.start("worker")
        stack.start("reaper")
        receiver.statuses = [500] * 3
        done = stack.finished(stack.submit().id)
        stack.wait(lambda: len(receiver.received) >= 3)
        time.sleep(1.2)  # the append-only file is written every second
        valkey.server.kill()
        stack.signal("worker", signal.SIGKILL)
        valkey.server.start()
        stack.start("worker")
        log = RedisDeliveryStore(stack.client)

        def all_delivered() -> list[Delivery]:
            found, _ = log.page("ten_1", limit=99, cursor=None, endpoint=endpoint.id)
            return found if all(d.status is DeliveryStatus.DELIVERED for d in found) else []

        deliveries = stack.wait(all_delivered, timeout_s=40)
    for headers, body in receiver.received:
        standardwebhooks.Webhook(new).verify(body, headers)
        standardwebhooks.Webhook(old).verify(body, headers)
    told = {json.loads(body)["data"]["sequence"] for _, body in receiver.received}
    assert told == set(range(2, done.sequence + 1))  # the first event is the answer 202 itself
    assert {headers["webhook-id"] for headers, _ in receiver.received} == {
        delivery.id for delivery in deliveries
    }


def test_an_endpoint_that_answers_gone_is_switched_off(stack: Stack, receiver: Receiver) -> None:
    endpoint = _endpoint(stack, receiver.url, SECRET)
    receiver.statuses = [410] * 99
    stack.finished(stack.submit().id)
    store = AccountEndpointStore(AccountRecords(stack.client))

    def switched_off() -> WebhookEndpoint | None:
        found = store.load("ten_1", endpoint.id)
        return found if found is not None and found.disabled_at is not None else None

    assert stack.wait(switched_off, timeout_s=20).disabled_reason is DisabledReason.GONE
    heard = len(receiver.received)
    stack.finished(stack.submit().id)
    assert len(receiver.received) == heard
