"""The generator's use-case with a backend that paints flat colours and a store in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from PIL import Image

from services.generator.batcher import BatchLimits
from services.generator.pictures import decoded, encoded
from services.generator.ports import Drawing, DrawRequest, GeneratorBackend
from services.generator.service import GeneratorService, fingerprint_of
from shared.contracts.generation import GenerateTask, Picture, PictureRefused
from shared.contracts.images import ImageRef
from shared.errors import (
    InvalidRequestError,
    ObjectMissingError,
    ServiceUnavailableError,
    StoreUnavailableError,
)
from shared.stores.images import ImageStore
from tests.fakes.generator_backends import (
    INFO,
    BreaksWhileDrawing,
    DiesInSetup,
    NeverFinishes,
    PaintsFlat,
    Refuses,
)
from tests.fakes.image_store import AwayForSomeCalls, MemoryImageStore


def task(seed: int = 5, *, key: str = "a.png", **changes: object) -> GenerateTask:
    fields: dict[str, object] = {
        "trajectory_id": "trj_1",
        "prompt": "a house",
        "width_px": 32,
        "height_px": 32,
        "seed": seed,
        "output_key": key,
    }
    return GenerateTask.model_validate(fields | changes)


def stored_picture(store: ImageStore) -> ImageRef:
    data = encoded(Image.new("RGB", (32, 32), "red"))
    return store.put("source.png", data, width_px=32, height_px=32)


@asynccontextmanager
async def running(backend: GeneratorBackend, store: ImageStore) -> AsyncGenerator[GeneratorService]:
    service = GeneratorService(backend, store, limits=BatchLimits(max_wait_s=0.01))
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


async def test_a_picture_is_in_the_store_before_the_answer() -> None:
    store = MemoryImageStore()
    async with running(PaintsFlat(), store) as service:
        reply = await service.draw(task())
    assert isinstance(reply, Picture)
    assert decoded(store.get(reply.image)).getpixel((0, 0)) == (5, 10, 20)
    assert (reply.image.width_px, reply.model, reply.model_version) == (32, "fake", "1")


async def test_a_repeated_task_is_not_drawn_again() -> None:
    backend, store = PaintsFlat(), MemoryImageStore()
    async with running(backend, store) as service:
        first = await service.draw(task())
        again = await service.draw(task())
        other = await service.draw(task(6))
    assert isinstance(first, Picture)
    assert isinstance(again, Picture)
    assert isinstance(other, Picture)
    assert again.image == first.image
    assert other.image != first.image
    assert len(backend.batches) == 2


async def test_the_slower_of_two_equal_tasks_takes_the_picture_of_the_faster() -> None:
    store = MemoryImageStore()
    twin_drew = stored_picture(store)
    fingerprint = fingerprint_of(task(), INFO)

    class IsOvertaken(PaintsFlat):
        async def draw(self, requests: Sequence[DrawRequest]) -> Sequence[Drawing]:
            data = store.get(twin_drew)
            store.put("a.png", data, width_px=32, height_px=32, fingerprint=fingerprint)
            return await super().draw(requests)

    async with running(IsOvertaken(), store) as service:
        reply = await service.draw(task())
    assert isinstance(reply, Picture)
    assert reply.image.sha256 == twin_drew.sha256
    assert decoded(store.get(reply.image)).getpixel((0, 0)) == (255, 0, 0)


async def test_calls_of_one_shape_share_a_batch_with_their_own_references() -> None:
    backend, store = PaintsFlat(), MemoryImageStore()
    source = stored_picture(store)
    async with running(backend, store) as service:
        tasks = [task(n, key=f"{n}.png", references=(source,)) for n in range(3)]
        await asyncio.gather(*(service.draw(one) for one in tasks))
    assert [len(batch) for batch in backend.batches] == [3]
    assert backend.batches[0][0].references[0].getpixel((0, 0)) == (255, 0, 0)


async def test_a_refusal_is_an_answer() -> None:
    async with running(Refuses(), MemoryImageStore()) as service:
        reply = await service.draw(task())
    assert reply == PictureRefused(code="picture_refused", detail="not this")


async def test_what_cannot_be_honoured_is_said_before_drawing() -> None:
    backend = PaintsFlat()
    async with running(backend, MemoryImageStore()) as service:
        with pytest.raises(InvalidRequestError, match="wide"):
            await service.draw(task(width_px=1024))
    assert backend.batches == []


async def test_a_damaged_reference_is_an_error_not_a_picture() -> None:
    store = MemoryImageStore()
    source = stored_picture(store)
    store.damage("source.png", b"something else")
    async with running(PaintsFlat(), store) as service:
        with pytest.raises(ObjectMissingError):
            await service.draw(task(references=(source,)))


async def test_a_failing_model_leaves_nothing_in_the_store() -> None:
    store = MemoryImageStore()
    async with running(BreaksWhileDrawing(), store) as service:
        with pytest.raises(ServiceUnavailableError):
            await service.draw(task())
    assert not store.objects


async def test_a_store_that_is_away_is_a_retryable_error() -> None:
    async with running(PaintsFlat(), AwayForSomeCalls(away=1)) as service:
        with pytest.raises(StoreUnavailableError) as caught:
            await service.draw(task())
        assert caught.value.retryable
        assert isinstance(await service.draw(task()), Picture)


async def test_cancelling_a_call_stops_the_model() -> None:
    backend = NeverFinishes()
    async with running(backend, MemoryImageStore()) as service:
        call = asyncio.create_task(service.draw(task()))
        await backend.started.wait()
        call.cancel()
        async with asyncio.timeout(1):
            await backend.stopped.wait()
        assert service.alive


async def test_a_model_that_cannot_be_loaded_makes_health_bad() -> None:
    service = GeneratorService(DiesInSetup(), MemoryImageStore(), limits=BatchLimits())
    with pytest.raises(ServiceUnavailableError):
        await service.start()
    assert not service.alive
    assert await service.readiness() == {"model": False, "store": True}


def test_everything_that_decides_the_looks_is_in_the_fingerprint() -> None:
    base = fingerprint_of(task(), INFO)
    assert fingerprint_of(task(trajectory_id="trj_2", speculative=True), INFO) == base
    newer = INFO.model_copy(update={"version": "2"})
    changed = [
        fingerprint_of(task(6), INFO),
        fingerprint_of(task(prompt="a tree"), INFO),
        fingerprint_of(task(steps=3), INFO),
        fingerprint_of(task(guidance=2.0), INFO),
        fingerprint_of(task(references=(stored_picture(MemoryImageStore()),)), INFO),
        fingerprint_of(task(), newer),
    ]
    assert len({base, *changed}) == 7
