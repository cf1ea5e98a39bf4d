"""The gateway on a real Valkey and a real S3 server, served by uvicorn over sockets."""

from __future__ import annotations

import base64
import io
import json
import socket
import threading
import time
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import redis
import uvicorn
from PIL import Image

from services.gateway.app import build_app
from services.gateway.settings import GatewaySettings
from services.gateway.wiring import open_parts
from shared.contracts.events import PublicEvent
from shared.contracts.plans import PlanCheckResult
from shared.contracts.trajectories import Status
from shared.queue import Queue
from shared.stores.redis_trajectories import RedisTrajectoryStore
from tests.integration.gateway.model_services import Answers, model_services
from tests.servers import S3Server, ValkeyServer


@pytest.fixture(scope="module")
def answers() -> Answers:
    return Answers(PlanCheckResult(ok=True))


@pytest.fixture(scope="module")
def settings(
    valkey: ValkeyServer, s3: S3Server, answers: Answers, tmp_path_factory: pytest.TempPathFactory
) -> Generator[GatewaySettings]:
    with model_services(answers) as url:
        yield GatewaySettings(
            redis_url=valkey.url,
            storage=s3.storage,
            planner_url=url,
            generators={"sketchbook": url},
            bootstrap_key_file=tmp_path_factory.mktemp("keys") / "key",
            max_body_bytes=2_000_000,
        )


@pytest.fixture(scope="module")
def address(settings: GatewaySettings) -> Generator[str]:
    """A served gateway."""
    # With the protocol named, as getaddrinfo would: asyncio sends small answers at once only then.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        app = build_app(settings, open_parts)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        give_up_at = time.monotonic() + 20
        while not server.started and time.monotonic() < give_up_at:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def client(address: str, settings: GatewaySettings) -> Generator[httpx.Client]:
    path = settings.bootstrap_key_file
    assert isinstance(path, Path)
    headers = {"Authorization": f"Bearer {path.read_text().strip()}"}
    with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
        yield client


def png(color: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(buffer, format="PNG")
    return buffer.getvalue()


def create(client: httpx.Client, **body: object) -> str:
    answer = client.post("/v1/trajectories", json={"prompt": "a seed", **body})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def test_it_says_ready_when_everything_answers(client: httpx.Client) -> None:
    answer = client.get("/readyz")
    assert answer.json()["checks"] == {"redis": True, "storage": True, "planner": True}


def test_an_accepted_trajectory_is_saved_journaled_and_queued(
    client: httpx.Client, settings: GatewaySettings
) -> None:
    trajectory_id = create(client)
    with redis.Redis.from_url(settings.redis_url) as connection:
        record = RedisTrajectoryStore(connection).load(trajectory_id)
        queued = connection.lrange(Queue.PLAN.value, 0, -1)
    assert record is not None
    assert (record.version, record.status) == (1, Status.QUEUED)
    assert any(trajectory_id in message_text(message) for message in queued)


def message_text(message: bytes | str) -> str:
    envelope = json.loads(message)
    return base64.b64decode(envelope["body"]).decode() + json.dumps(envelope["headers"])


def test_images_go_through_the_bucket_unchanged(client: httpx.Client) -> None:
    upload = client.post("/v1/uploads", content=png("teal")).json()
    trajectory_id = create(client, prompt="<image> goes on", images=[upload["id"]])
    shown = client.get(f"/v1/trajectories/{trajectory_id}").json()
    file = client.get(shown["request"]["images"][0]["url"])
    assert file.headers["etag"] == f'"{upload["sha256"]}"'
    assert Image.open(io.BytesIO(file.content)).getpixel((5, 5)) == (0, 128, 128)


def test_the_same_idempotency_key_makes_one_trajectory_under_a_race(
    client: httpx.Client, address: str
) -> None:
    outcomes: list[httpx.Response] = []

    def send() -> None:
        with httpx.Client(base_url=address, headers=client.headers, timeout=30) as mine:
            outcomes.append(
                mine.post(
                    "/v1/trajectories",
                    json={"prompt": "once"},
                    headers={"Idempotency-Key": "race"},
                )
            )

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {answer.status_code for answer in outcomes} <= {202, 409}
    assert len({a.json()["id"] for a in outcomes if a.status_code == 202}) == 1


def test_events_are_streamed_from_the_real_stream(
    client: httpx.Client, settings: GatewaySettings
) -> None:
    trajectory_id = create(client)
    finisher = threading.Timer(0.3, finish, (settings.redis_url, trajectory_id))
    finisher.start()
    with client.stream("GET", f"/v1/trajectories/{trajectory_id}/events") as stream:
        lines = [line for line in stream.iter_lines() if line.startswith("event:")]
    finisher.join()
    assert lines == ["event: trajectory.queued", "event: trajectory.failed"]


def test_waiting_ends_when_the_trajectory_does(
    client: httpx.Client, settings: GatewaySettings
) -> None:
    trajectory_id = create(client)
    finisher = threading.Timer(0.3, finish, (settings.redis_url, trajectory_id))
    finisher.start()
    started = time.monotonic()
    answer = client.get(f"/v1/trajectories/{trajectory_id}?wait=20")
    finisher.join()
    assert answer.json()["status"] == "failed"
    assert time.monotonic() - started < 10


def finish(redis_url: str, trajectory_id: str) -> None:
    """Play the orchestrator: it fails."""
    with redis.Redis.from_url(redis_url) as connection:
        store = RedisTrajectoryStore(connection)
        record = store.load(trajectory_id)
        assert record is not None
        event = PublicEvent(
            sequence=record.sequence + 1,
            type="trajectory.failed",
            trajectory_id=trajectory_id,
            at=datetime.now(UTC),
        )
        changed = record.model_copy(
            update={"status": Status.FAILED, "sequence": event.sequence, "pending": ()}
        )
        store.save(changed, expected_version=record.version, events=[event])


def test_deleting_leaves_nothing_behind(client: httpx.Client, settings: GatewaySettings) -> None:
    trajectory_id = create(client)
    finish(settings.redis_url, trajectory_id)
    answer = client.delete(f"/v1/trajectories/{trajectory_id}")
    assert answer.status_code == 204
    assert client.get(f"/v1/trajectories/{trajectory_id}").status_code == 404
    with redis.Redis.from_url(settings.redis_url) as connection:
        assert list(connection.scan_iter(f"*{trajectory_id}*")) == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_huge_body_is_refused_before_it_is_read(client: httpx.Client, *, chunked: bool) -> None:
    def chunks() -> Generator[bytes]:
        for _ in range(100):
            yield b"x" * 1_000_000

    started = time.monotonic()
    content = chunks() if chunked else b"x" * 100_000_000
    answer = client.post("/v1/trajectories", content=content)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
    assert time.monotonic() - started < 5
    assert client.get("/readyz").status_code == 200


def test_a_refused_prompt_is_out_of_scope(client: httpx.Client, answers: Answers) -> None:
    answers.check = PlanCheckResult(ok=False, code="out_of_scope", detail="No dragons here.")
    answer = client.post("/v1/trajectories", json={"prompt": "a dragon"})
    answers.check = PlanCheckResult(ok=True)
    assert (answer.status_code, answer.json()["code"]) == (422, "out_of_scope")
    assert answer.json()["detail"] == "No dragons here."
