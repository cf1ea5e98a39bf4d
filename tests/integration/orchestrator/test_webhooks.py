"""Webhooks from a real worker to a real receiver, verified with the standard's own library."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import standardwebhooks

from shared.contracts.trajectories import Trajectory, WebhookTarget
from shared.contracts.webhooks import Delivery, DeliveryStatus
from shared.stores.accounts import AccountRecords
from shared.stores.deliveries import RedisDeliveryStore
from shared.stores.tenants import AccountTenantStore, new_webhook_secret
from tests.integration.orchestrator.stack import Stack, running_stack
from tests.servers import ValkeyServer

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
