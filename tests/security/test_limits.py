"""What a connection, a head and a body may cost, on real sockets."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import httpx
import pytest

from services.gateway.settings import GatewaySettings
from services.gateway.wiring import open_parts
from tests.security.conftest import PUBLIC_ADDRESS
from tests.security.gateway import Gateway, served
from tests.security.sockets import Cut, connected, dribble, exchange, rest_of
from tests.servers import HOST

HEAD_S = STALL_S = 1.5
MUCH_LATER_S = 20.0
"""On a loaded machine; without a limit it would be for ever."""
HALF_OPEN = 20
PATIENT_S = 10.0


@pytest.fixture(scope="module")
def gateway(settings: GatewaySettings) -> Generator[Gateway]:
    limited = settings.model_copy(
        update={
            "head_timeout_s": HEAD_S,
            "stall_timeout_s": STALL_S,
            "max_half_open": HALF_OPEN,
            "key_max_open": 3,
            "max_body_bytes": 1_000_000,
            "max_image_bytes": 500_000,
        }
    )
    with served(limited, partial(open_parts, resolver=lambda _h, _p: [PUBLIC_ADDRESS])) as running:
        yield running


@pytest.fixture
def key(gateway: Gateway) -> str:
    return gateway.key("ten_limits")


def head(key: str, *lines: str, start: str = "POST /v1/uploads HTTP/1.1") -> bytes:
    all_lines = (start, "Host: g", f"Authorization: Bearer {key}", *lines, "", "")
    return "\r\n".join(all_lines).encode()


def problem_in(answer: bytes) -> dict[str, object]:
    assert b"application/problem+json" in answer, answer[:300]
    return json.loads(answer.partition(b"\r\n\r\n")[2])


@contextmanager
def in_background(*jobs: threading.Thread) -> Generator[None]:
    for job in jobs:
        job.start()
    yield
    for job in jobs:
        job.join(60)
        assert not job.is_alive()


def test_heads_of_one_byte_a_moment_are_cut_and_others_are_served(
    gateway: Gateway, key: str
) -> None:
    cuts: list[Cut] = []

    def one() -> None:
        cuts.append(
            dribble(gateway.port, [b"x"] * 200, pause_s=0.2, start=b"GET / HTTP/1.1\r\nA: ")
        )

    slow = [threading.Thread(target=one, daemon=True) for _ in range(HALF_OPEN - 5)]
    with in_background(*slow), gateway.client(key) as client:
        waits: list[float] = []
        for _ in range(10):
            started = time.monotonic()
            assert client.get("/v1/models").status_code == 200
            waits.append(time.monotonic() - started)
            time.sleep(0.1)
    assert max(waits) < PATIENT_S
    assert len(cuts) == len(slow)
    assert all(HEAD_S - 0.1 <= cut.after_s < MUCH_LATER_S for cut in cuts)
    assert {cut.status for cut in cuts} == {408}


def test_a_silent_connection_is_closed(gateway: Gateway) -> None:
    cut = dribble(gateway.port, [b""] * 100, pause_s=0.3)
    assert cut.after_s < MUCH_LATER_S
    assert cut.answer == b""


def test_a_connection_is_not_kept_by_part_of_a_second_request(gateway: Gateway) -> None:
    start = b"GET /healthz HTTP/1.1\r\nHost: g\r\n\r\nGET /he"
    cut = dribble(gateway.port, [b"a"] * 200, pause_s=0.2, start=start)
    assert cut.answer.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 408" in cut.answer
    assert cut.after_s < MUCH_LATER_S


def test_three_times_as_many_half_open_connections_as_allowed_stop_nobody(
    gateway: Gateway, key: str
) -> None:
    with connected(gateway.port, 3 * HALF_OPEN) as idle:
        started = time.monotonic()
        with gateway.client(key) as client:
            assert client.get("/v1/models").status_code == 200
        assert time.monotonic() - started < PATIENT_S
        assert rest_of(idle[0]) == b""


def test_a_body_of_one_byte_a_moment_is_cut(gateway: Gateway, key: str) -> None:
    start = head(key, "Content-Length: 100000", "Content-Type: image/png")
    cut = dribble(gateway.port, [b"x"] * 200, pause_s=0.2, start=start)
    assert STALL_S - 0.1 <= cut.after_s < MUCH_LATER_S
    with gateway.client(key) as client:
        assert client.get("/v1/models").status_code == 200


def test_a_body_that_comes_slowly_but_steadily_is_read_to_its_end(
    gateway: Gateway, key: str
) -> None:
    pieces = [b"x" * 10_000] * 10
    start = head(key, "Content-Length: 100000", "Connection: close")
    cut = dribble(gateway.port, [*pieces, b"", b"", b""], pause_s=STALL_S / 4, start=start)
    assert cut.after_s > STALL_S
    assert cut.status == 415, "all of it was read, and it is no image"


def test_a_client_that_takes_nothing_is_left(gateway: Gateway) -> None:
    asked = 300
    size = len(httpx.get(f"{gateway.url}/openapi.json").content)
    with connected(gateway.port) as (client,):
        client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: g\r\n\r\n" * asked)
        time.sleep(6 * STALL_S + 2)
        started = time.monotonic()
        answered = len(rest_of(client))
    assert answered < asked * size / 2, "the buffers of the system were filled, and no more"
    assert time.monotonic() - started < MUCH_LATER_S


def test_a_refused_stranger_cannot_go_on_sending(gateway: Gateway) -> None:
    start = b"POST /v1/uploads HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    cut = dribble(gateway.port, [chunk] * 300, pause_s=0.1, start=start)
    assert cut.status == 401
    assert cut.after_s < MUCH_LATER_S


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([f"X-{n}: 1" for n in range(120)], 431),
        (["X-Long: " + "a" * 40_000], 431),
        (["X-Longer: " + "a" * 300_000], 431),
        (["Content-Length: 4", "Transfer-Encoding: chunked"], 400),
        (["Content-Length: 4", "Content-Length: 5"], 400),
        (["Content-Length: -1"], 400),
        (["no header at all"], 400),
    ],
    ids=["many", "long", "endless", "two-ends", "two-lengths", "negative", "malformed"],
)
def test_heads_out_of_bounds_are_refused_with_a_problem(
    gateway: Gateway, key: str, lines: list[str], status: int
) -> None:
    answer = exchange(gateway.port, head(key, *lines, "Connection: close"))
    assert answer.startswith(b"HTTP/1.1 %d" % status), answer[:200]
    assert problem_in(answer)["status"] == status


def test_a_long_address_is_refused_with_a_problem(gateway: Gateway, key: str) -> None:
    start = "GET /v1/trajectories?cursor=" + "a" * 9000 + " HTTP/1.1"
    answer = exchange(gateway.port, head(key, "Connection: close", start=start))
    assert answer.startswith(b"HTTP/1.1 414")
    assert problem_in(answer)["code"] == "request_uri_too_long"


@pytest.mark.parametrize("path", ["/v1/trajectories", "/v1/uploads", "/v1/images/edits"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(
    gateway: Gateway, key: str, path: str, *, chunked: bool
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        for _ in range(100):
            yield b"x" * 100_000

    content = chunks() if chunked else b"".join(chunks())
    headers = {"Content-Type": "multipart/form-data; boundary=x"} if "edits" in path else {}
    with gateway.client(key) as client:
        answer = client.post(path, content=content, headers=headers)
        assert answer.status_code == 413, answer.text
        assert answer.json()["code"] == "too_large"
        assert client.get("/v1/models").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 90_000, 422),
        (b'{"a":' * 90_000, 422),
        (b"[" + b"0," * 200_000 + b"0]", 413),
        (b'{"prompt": "a", "seed": ' + b"9" * 10_000 + b"}", 422),
        (b'{"prompt": "a", "\\ud800": 1}', 422),
        (b'{"prompt": "\\ud800"}', 422),
        (b'{"prompt": "\xff"}', 422),
        (b"not json", 422),
    ],
    ids=["deep", "deeper", "many", "long-number", "name", "surrogate", "bytes", "text"],
)
def test_json_out_of_bounds_is_refused_with_a_problem(
    gateway: Gateway, key: str, body: bytes, status: int
) -> None:
    with gateway.client(key) as client:
        headers = {"Content-Type": "application/json"}
        answer = client.post("/v1/trajectories", content=body, headers=headers)
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_key_holds_only_so_many_calls_open(gateway: Gateway, key: str) -> None:
    with gateway.client(key) as client, ExitStack() as streams:
        made = client.post("/v1/trajectories", json={"prompt": "a seed"}).json()["id"]
        path = f"/v1/trajectories/{made}/events"
        for _ in range(3):
            assert streams.enter_context(client.stream("GET", path)).status_code == 200
        refused = client.get("/v1/models")
        with gateway.client(gateway.key("ten_other")) as other:
            assert other.get("/v1/models").status_code == 200
        streams.close()
        give_up_at = time.monotonic() + MUCH_LATER_S
        while client.get("/v1/models").status_code != 200:
            assert time.monotonic() < give_up_at
            time.sleep(0.1)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.headers["retry-after"]


def test_connections_are_to_loopback(gateway: Gateway) -> None:
    assert gateway.url.startswith(f"http://{HOST}:")
