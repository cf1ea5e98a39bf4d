"""The generator as a process with a tiny model and a real object store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from shared.clients.failures import CallCancelledError
from shared.clients.generator import GeneratorClient
from shared.contracts.generation import GenerateTask, Picture
from shared.errors import ServiceRejectedError
from shared.stores.s3_images import S3ImageStore
from tests.integration.models.processes import running_service
from tests.servers import S3Server
from tests.tiny.klein import save_tiny_klein


@pytest.fixture(scope="module")
def url(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("generator")
    environment = {
        "MODEL": str(save_tiny_klein(folder / "model")),
        "NAME": "tiny",
        "DEVICE": "cpu",
        "TORCH_THREADS": "1",
        "MAX_WAIT_MS": "100",
    }
    with running_service("generator", folder / "run", environment, storage=s3.storage) as url:
        yield url


@pytest.fixture
def store(s3: S3Server) -> Iterator[S3ImageStore]:
    store = S3ImageStore(s3.storage)
    yield store
    store.close()


def task(number: int, **changes: object) -> GenerateTask:
    fields: dict[str, object] = {
        "trajectory_id": f"trj_{number}",
        "prompt": f"picture {number}",
        "width_px": 64,
        "height_px": 64,
        "seed": number,
        "output_key": f"generator-process/{number}.png",
    }
    return GenerateTask.model_validate(fields | changes)


def _later(seconds: float) -> Callable[[], bool]:
    at = time.monotonic() + seconds
    return lambda: time.monotonic() > at


def _metric(url: str, name: str) -> float:
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))


def test_concurrent_calls_are_drawn_together_and_stored(url: str, store: S3ImageStore) -> None:
    client = GeneratorClient(url)
    first = client.draw(task(0))
    assert isinstance(first, Picture)
    assert len(store.get(first.image)) == first.image.size_bytes
    batches = _metric(url, "interleave_generator_batch_size_count")
    edits = [task(n, references=(first.image,)) for n in range(1, 5)]
    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(client.draw, edits))
    assert all(isinstance(picture, Picture) for picture in pictures)
    assert _metric(url, "interleave_generator_batch_size_count") - batches < 4
    again = client.draw(edits[0])
    assert isinstance(again, Picture)
    assert isinstance(pictures[0], Picture)
    assert again.image == pictures[0].image


async def test_it_says_what_can_be_asked_and_refuses_the_rest(url: str) -> None:
    info = await GeneratorClient(url).info()
    assert (info.name, info.max_references, info.side_multiple_px) == ("tiny", 2, 4)
    odd = task(9, width_px=66).model_dump_json()
    async with httpx.AsyncClient(headers={"content-type": "application/json"}) as http:
        answer = await http.post(f"{url}/v1/images", content=odd)
    assert answer.status_code == 422
    assert "multiples of 4" in answer.json()["detail"]


def test_a_wrong_call_is_rejected_for_good(url: str) -> None:
    with pytest.raises(ServiceRejectedError, match="guidance is always 1"):
        GeneratorClient(url).draw(task(10, guidance=5.0))


def test_cancelling_stops_the_model_soon(url: str) -> None:
    client = GeneratorClient(url)
    started = time.monotonic()
    with pytest.raises(CallCancelledError):
        client.draw(task(11, steps=200, width_px=256, height_px=256), _later(0.5))
    assert time.monotonic() - started < 1.5
    started = time.monotonic()
    assert isinstance(client.draw(task(12)), Picture)
    assert time.monotonic() - started < 2.0, "the model must be free again"
