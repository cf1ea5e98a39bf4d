"""A user's day: a request to the end, refused requests, a second start, a clean stop."""

from __future__ import annotations

import base64
import http.client
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from PIL import Image

from tests.e2e.local_stack import LocalStack, interleave

BOAT = "Tell the story of a boat from morning to night in four pictures."
AT_ONCE_S = 5.0
"""On a machine that is busy with other things."""
MIB = 1024 * 1024


def png(width_px: int, height_px: int, *, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width_px, height_px)).save(file, "PNG")
    return file.getvalue()


def truncated_jpeg() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((256, 256), 80).convert("RGB").save(file, "JPEG")
    return file.getvalue()[: len(file.getvalue()) // 3]


def data_url(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


BAD_REQUESTS = {
    "a request outside the world": {"prompt": "Draw the president of France on a skateboard."},
    "an empty prompt": {"prompt": ""},
    "forty images": {
        "prompt": "Describe each picture in one sentence: " + "<image> " * 40,
        "images": [data_url(png(64, 64))] * 40,
    },
    "a picture of 200 megapixels": {
        "prompt": "Describe this picture in one sentence: <image>",
        "images": [data_url(png(20_000, 10_000, mode="1"))],
    },
    "a truncated JPEG": {
        "prompt": "Describe this picture in one sentence: <image>",
        "images": [data_url(truncated_jpeg(), "jpeg")],
    },
    "an http URL to a private address": {
        "prompt": "Describe this picture in one sentence: <image>",
        "images": ["http://127.0.0.1:9/secret.png"],
    },
    "an https URL to a private address": {
        "prompt": "Describe this picture in one sentence: <image>",
        "images": ["https://10.0.0.1/secret.png"],
    },
    "an unknown generator": {"prompt": BOAT, "generator": "no-such-generator"},
}


@pytest.fixture
def client(stack: LocalStack) -> Iterator[httpx.Client]:
    connection = stack.connection()
    headers = {"Authorization": f"Bearer {connection.key.get_secret_value()}"}
    with httpx.Client(
        base_url=connection.url, headers=headers, timeout=30, trust_env=False
    ) as client:
        yield client


@pytest.mark.timeout(300)
def test_a_request_becomes_a_folder_with_pictures_and_documents(
    stack: LocalStack, tmp_path: Path
) -> None:
    data = str(stack.folder.path)
    done = interleave("run", BOAT, "--data", data, "--out", str(tmp_path / "out"), "--seed", "7")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "plan: complete" in done.stdout
    record = json.loads((tmp_path / "out" / "trajectory.json").read_text())
    assert record["status"] == "succeeded"
    assert len(record["steps"]) == 4
    for number in range(1, 5):
        with Image.open(tmp_path / "out" / "images" / f"step-{number:02d}.png") as picture:
            assert picture.size == (128, 128)
    assert "step-04.png" in (tmp_path / "out" / "document.md").read_text()
    assert "<html" in (tmp_path / "out" / "index.html").read_text()


def test_a_refused_request_is_explained_and_ends_with_code_2(
    stack: LocalStack, tmp_path: Path
) -> None:
    prompt = BAD_REQUESTS["a request outside the world"]["prompt"]
    done = interleave("run", str(prompt), "--data", str(stack.folder.path), "--out", str(tmp_path))
    assert done.returncode == 2
    assert "Refused." in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_bad_request_gets_a_problem_at_once(
    stack: LocalStack, client: httpx.Client, name: str
) -> None:
    began = time.monotonic()
    answer = client.post("/v1/trajectories", json=BAD_REQUESTS[name])
    assert time.monotonic() - began < AT_ONCE_S
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["type"]
    assert len(problem["detail"]) > 10


def test_a_body_of_100_mb_is_refused_before_it_is_sent(stack: LocalStack) -> None:
    connection = stack.connection()
    address = urlsplit(connection.url)
    raw = http.client.HTTPConnection(str(address.hostname), address.port, timeout=AT_ONCE_S)
    raw.putrequest("POST", "/v1/trajectories")
    raw.putheader("Authorization", f"Bearer {connection.key.get_secret_value()}")
    raw.putheader("Content-Type", "application/json")
    raw.putheader("Content-Length", str(100 * MIB))
    raw.endheaders()
    answer = raw.getresponse()
    assert answer.status == 413
    assert answer.headers["content-type"].startswith("application/problem+json")
    raw.close()


def test_after_all_that_the_stack_is_as_healthy_as_before(
    stack: LocalStack, client: httpx.Client
) -> None:
    assert client.get("/readyz").status_code == 200
    state = stack.state()
    assert state is not None
    assert {each.name: each.restarts for each in state.processes if each.restarts} == {}


def test_a_second_start_on_the_same_folder_says_so(stack: LocalStack) -> None:
    second = interleave("up", "--data", str(stack.folder.path), "--port", "0")
    assert second.returncode == 1
    assert "already running" in second.stdout
    assert "interleave down" in second.stdout


def test_the_key_was_shown_once_and_is_kept_privately(stack: LocalStack) -> None:
    key = stack.connection().key.get_secret_value()
    assert stack.output.count(key) == 1
    assert stack.folder.key.stat().st_mode & 0o077 == 0


def test_keys_can_be_made_and_revoked(stack: LocalStack) -> None:
    data = ("--data", str(stack.folder.path))
    made = interleave("keys", "create", "--name", "second", *data)
    assert made.returncode == 0, made.stderr
    key_id, secret = made.stdout.split()[0], made.stdout.split()[-1]
    url = f"{stack.connection().url}/v1/trajectories"
    bearer = {"Authorization": f"Bearer {secret}"}
    assert httpx.get(url, headers=bearer, trust_env=False).status_code == 200
    assert interleave("keys", "revoke", key_id, *data).returncode == 0
    assert httpx.get(url, headers=bearer, trust_env=False).status_code == 401


def test_the_whole_stack_stays_below_its_memory_limit(stack: LocalStack) -> None:
    assert stack.process is not None
    launcher = psutil.Process(stack.process.pid)
    family = [launcher, *launcher.children(recursive=True)]
    assert sum(each.memory_info().rss for each in family) < 6 * 1024 * MIB


def test_ctrl_c_stops_everything_cleanly(stack: LocalStack) -> None:
    assert stack.process is not None
    children = psutil.Process(stack.process.pid).children(recursive=True)
    assert stack.stop() == 0
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    assert stack.state() is None
