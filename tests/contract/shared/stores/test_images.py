"""What every image store does: one body for the fake and for a real S3 server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3
from pydantic import SecretStr

from shared.errors import ObjectMissingError, StoreError, StoreUnavailableError
from shared.settings import StorageSettings
from shared.stores.images import ImageStore
from shared.stores.s3_images import S3ImageStore
from tests.fakes.image_store import MemoryImageStore
from tests.servers import S3Server

PNG = b"\x89PNG not really, but bytes" * 40


@pytest.fixture
def s3_store(s3: S3Server) -> Iterator[S3ImageStore]:
    store = S3ImageStore(s3.storage)
    store.ensure_bucket()
    yield store
    store.delete_prefix("contract/")
    store.close()


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest) -> ImageStore:
    if request.param == "memory":
        return MemoryImageStore()
    found: S3ImageStore = request.getfixturevalue("s3_store")
    return found


def test_what_was_put_is_read_back(store: ImageStore) -> None:
    ref = store.put("contract/a.png", PNG, width_px=32, height_px=64)
    assert store.get(ref) == PNG
    assert store.stat("contract/a.png") == ref
    assert (ref.width_px, ref.height_px, ref.size_bytes) == (32, 64, len(PNG))


def test_a_missing_object_is_an_error_or_none(store: ImageStore) -> None:
    ref = store.put("contract/b.png", PNG, width_px=1, height_px=1)
    store.delete("contract/b.png")
    store.delete("contract/b.png")
    assert store.stat("contract/b.png") is None
    assert store.get_json("contract/none.json") is None
    with pytest.raises(ObjectMissingError):
        store.get(ref)


def test_a_replaced_object_does_not_pass_for_the_old_one(store: ImageStore) -> None:
    ref = store.put("contract/c.png", PNG, width_px=1, height_px=1)
    store.put("contract/c.png", PNG[::-1], width_px=1, height_px=1)
    with pytest.raises(ObjectMissingError):
        store.get(ref)
    store.put("contract/c.png", PNG[:-1], width_px=1, height_px=1)
    with pytest.raises(ObjectMissingError):
        store.get(ref)


def test_a_picture_is_found_only_by_its_own_task(store: ImageStore) -> None:
    ref = store.put("contract/d.png", PNG, width_px=1, height_px=1, fingerprint="task-1")
    assert store.find("contract/d.png", fingerprint="task-1") == ref
    assert store.find("contract/d.png", fingerprint="task-2") is None
    assert store.find("contract/none.png", fingerprint="task-1") is None


def test_json_documents_are_kept_and_listed(store: ImageStore) -> None:
    for name in ("b", "a"):
        store.put_json(f"contract/journal/{name}.json", f'{{"name": "{name}", "é": 1}}')
    assert store.get_json("contract/journal/a.json") == '{"name": "a", "é": 1}'
    listed = list(store.list_keys("contract/journal/"))
    assert listed == ["contract/journal/a.json", "contract/journal/b.json"]


def test_a_prefix_is_deleted_and_nothing_else(store: ImageStore) -> None:
    for key in ("contract/p/1.png", "contract/p/x/2.png", "contract/q.png"):
        store.put(key, PNG, width_px=1, height_px=1)
    store.delete_prefix("contract/p/")
    assert list(store.list_keys("contract/")) == ["contract/q.png"]
    with pytest.raises(ValueError, match="everything"):
        store.delete_prefix("")


def test_many_threads_may_use_one_store(store: ImageStore) -> None:
    def cycle(number: int) -> bool:
        data = PNG + bytes([number])
        ref = store.put(f"contract/t/{number}.png", data, width_px=1, height_px=1)
        return store.get(ref) == data

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(cycle, range(24)))


def test_a_store_in_order_is_healthy(store: ImageStore) -> None:
    store.ensure_bucket()
    assert store.healthy()


def test_a_wrong_secret_is_refused_for_good(s3: S3Server) -> None:
    wrong = s3.storage.model_copy(update={"secret_key": SecretStr("not-the-secret")})
    store = S3ImageStore(wrong)
    with pytest.raises(StoreError) as caught:
        store.put("contract/w.png", PNG, width_px=1, height_px=1)
    assert not caught.value.retryable
    assert not store.healthy()
    store.close()


def test_a_presigned_link_works_until_it_expires(s3_store: S3ImageStore) -> None:
    s3_store.put("contract/link.png", PNG, width_px=1, height_px=1)
    url = s3_store.presigned_url("contract/link.png", ttl_s=2)
    with urllib3.PoolManager(retries=False) as http:
        assert http.request("GET", url).data == PNG
        tampered = url.replace("link.png", "other.png")
        assert http.request("GET", tampered).status == 403
        time.sleep(3)
        assert http.request("GET", url).status == 403


def test_links_are_made_for_the_public_host(s3: S3Server) -> None:
    public = s3.storage.model_copy(update={"public_endpoint": "https://files.example"})
    store = S3ImageStore(public)
    url = store.presigned_url("contract/link.png", ttl_s=60)
    assert url.startswith("https://files.example/interleave/contract/link.png?")
    store.close()


def test_a_store_that_is_away_says_so_quickly() -> None:
    store = S3ImageStore(StorageSettings(endpoint="127.0.0.1:9"))
    started = time.monotonic()
    with pytest.raises(StoreUnavailableError):
        store.stat("contract/a.png")
    assert not store.healthy()
    assert time.monotonic() - started < 5
    store.close()
