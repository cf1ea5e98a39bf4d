"""``S3ImageStore``: images in an S3 bucket through the ``minio`` SDK.

Only what every S3 server does is used: no policies, versions or tags.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import urllib3
from minio import Minio
from minio.deleteobjects import DeleteObject
from minio.error import InvalidResponseError, S3Error, ServerError

from shared.contracts.images import ImageRef
from shared.errors import ObjectMissingError, StoreError, StoreUnavailableError
from shared.settings import StorageSettings
from shared.stores.images import reference, verified

_MISSING: Final = frozenset({"NoSuchKey", "NoSuchObject", "NotFound", "NoSuchBucket"})
_BUSY: Final = frozenset(
    {
        "InternalError",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "XMinioServerNotInitialized",
    }
)
_CONNECT_TIMEOUT_S: Final = 2.0
_READ_TIMEOUT_S: Final = 15.0
_RETRIES: Final = 2
_CONNECTIONS: Final = 32


class S3ImageStore:
    """An ``ImageStore`` in the bucket that the settings name."""

    def __init__(self, settings: StorageSettings) -> None:
        self._bucket = settings.bucket
        self._pool = _pool()
        self._client = _client(settings, settings.endpoint, self._pool)
        # Signing happens offline (the region is known), on the host that clients will use.
        self._signer = _client(settings, settings.public_endpoint or settings.endpoint, self._pool)

    def put(
        self, key: str, data: bytes, *, width_px: int, height_px: int, fingerprint: str = ""
    ) -> ImageRef:
        """See ``ImageStore.put``."""
        ref = reference(self._bucket, key, data, width_px=width_px, height_px=height_px)
        notes: dict[str, str | list[str] | tuple[str]] = {
            "sha256": ref.sha256,
            "width-px": str(width_px),
            "height-px": str(height_px),
        }
        if fingerprint:
            notes["fingerprint"] = fingerprint
        with _translated(key):
            self._client.put_object(
                self._bucket, key, io.BytesIO(data), len(data),
                content_type=ref.media_type, metadata=notes,
            )  # fmt: skip
        return ref

    def get(self, ref: ImageRef) -> bytes:
        """See ``ImageStore.get``."""
        return verified(ref, self._read(ref.bucket, ref.key))

    def stat(self, key: str) -> ImageRef | None:
        """See ``ImageStore.stat``."""
        found = self._notes(key)
        return None if found is None else self._reference(key, *found)

    def find(self, key: str, *, fingerprint: str) -> ImageRef | None:
        """See ``ImageStore.find``."""
        found = self._notes(key)
        if found is None or found[1].get("fingerprint") != fingerprint:
            return None
        return self._reference(key, *found)

    def presigned_url(self, key: str, *, ttl_s: int) -> str:
        """See ``ImageStore.presigned_url``."""
        with _translated(key):
            expires = timedelta(seconds=ttl_s)
            return str(self._signer.presigned_get_object(self._bucket, key, expires=expires))

    def put_json(self, key: str, text: str) -> None:
        """See ``ImageStore.put_json``."""
        data = text.encode()
        with _translated(key):
            self._client.put_object(
                self._bucket, key, io.BytesIO(data), len(data), content_type="application/json"
            )

    def get_json(self, key: str) -> str | None:
        """See ``ImageStore.get_json``."""
        try:
            return self._read(self._bucket, key).decode()
        except ObjectMissingError:
            return None

    def list_keys(self, prefix: str) -> Iterator[str]:
        """See ``ImageStore.list_keys``."""
        with _translated(prefix):
            for item in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                yield str(item.object_name)

    def delete(self, key: str) -> None:
        """See ``ImageStore.delete``."""
        with _translated(key):
            self._client.remove_object(self._bucket, key)

    def delete_prefix(self, prefix: str) -> None:
        """See ``ImageStore.delete_prefix``."""
        if not prefix:
            raise ValueError("an empty prefix would delete everything")
        doomed = [DeleteObject(key) for key in self.list_keys(prefix)]
        with _translated(prefix):
            failed = list(self._client.remove_objects(self._bucket, doomed)) if doomed else []
        if failed:
            raise StoreUnavailableError(f"{len(failed)} objects under {prefix} were not deleted.")

    def ensure_bucket(self) -> None:
        """See ``ImageStore.ensure_bucket``."""
        with _translated(self._bucket):
            if self._client.bucket_exists(self._bucket):
                return
            try:
                self._client.make_bucket(self._bucket)
            except S3Error as error:
                if error.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                    raise

    def healthy(self) -> bool:
        """See ``ImageStore.healthy``."""
        try:
            with _translated(self._bucket):
                return bool(self._client.bucket_exists(self._bucket))
        except StoreError:
            return False

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _read(self, bucket: str, key: str) -> bytes:
        with _translated(key):
            response = self._client.get_object(bucket, key)
            try:
                return bytes(response.read())
            finally:
                response.close()
                response.release_conn()

    def _notes(self, key: str) -> tuple[int, dict[str, str]] | None:
        try:
            with _translated(key):
                stat = self._client.stat_object(self._bucket, key)
        except ObjectMissingError:
            return None
        return int(stat.size or 0), _own_metadata(stat.metadata or {})

    def _reference(self, key: str, size_bytes: int, notes: Mapping[str, str]) -> ImageRef:
        try:
            return ImageRef(
                bucket=self._bucket,
                key=key,
                sha256=notes["sha256"],
                size_bytes=size_bytes,
                width_px=int(notes["width-px"]),
                height_px=int(notes["height-px"]),
            )
        except (KeyError, ValueError) as error:
            raise ObjectMissingError(f"The object {key} was not stored as an image.") from error


def _own_metadata(headers: Mapping[str, object]) -> dict[str, str]:
    prefix = "x-amz-meta-"
    lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    return {
        name.removeprefix(prefix): value
        for name, value in lowered.items()
        if name.startswith(prefix)
    }


def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(
        num_pools=4,
        maxsize=_CONNECTIONS,
        timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=_READ_TIMEOUT_S),
        retries=urllib3.Retry(
            total=_RETRIES, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504)
        ),
    )


def _client(settings: StorageSettings, endpoint: str, pool: urllib3.PoolManager) -> Minio:
    scheme, _, host = endpoint.rpartition("://")
    return Minio(
        host,
        access_key=settings.access_key,
        secret_key=settings.secret_key.get_secret_value(),
        region=settings.region,
        secure=scheme == "https" if scheme else settings.secure,
        http_client=pool,
    )


@contextmanager
def _translated(key: str) -> Generator[None]:
    """Turn what the SDK raises into our errors."""
    try:
        yield
    except S3Error as error:
        if error.code in _MISSING:
            raise ObjectMissingError(f"The object {key} is not in the store.") from error
        if error.code in _BUSY:
            raise StoreUnavailableError(f"The object store is busy: {error.code}.") from error
        raise StoreError(f"The object store refused: {error.code}.") from error
    except (urllib3.exceptions.HTTPError, ServerError, InvalidResponseError, OSError) as error:
        name = type(error).__name__
        raise StoreUnavailableError(f"The object store cannot be reached ({name}).") from error
