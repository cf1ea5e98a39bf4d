"""Images and the journal as objects: the ``ImageStore`` interface and what it promises.

``shared.stores.s3_images`` keeps them in an S3 bucket; an in-memory store is among the tests'
fakes. Both pass one contract test. Which key an image gets is decided in ``keys``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Protocol

from shared.contracts.images import ImageRef
from shared.errors import ObjectMissingError


class ImageStore(Protocol):
    """Bytes by key. Synchronous and thread safe; async callers use a worker thread.

    Every method raises ``StoreUnavailableError`` when the store cannot be reached and
    ``StoreError`` when it refuses us.
    """

    def put(
        self, key: str, data: bytes, *, width_px: int, height_px: int, fingerprint: str = ""
    ) -> ImageRef:
        """Store a PNG and give its reference; an existing object is replaced.

        Args:
            key: where.
            data: the PNG file.
            width_px: of the picture, kept beside it.
            height_px: of the picture, kept beside it.
            fingerprint: names the task that made the picture, for ``find``.
        """
        ...

    def get(self, ref: ImageRef) -> bytes:
        """The object's bytes, checked against the reference.

        Raises:
            ObjectMissingError: if it is not there, or not what its size and hash say.
        """
        ...

    def stat(self, key: str) -> ImageRef | None:
        """The reference of a stored image, or None."""
        ...

    def find(self, key: str, *, fingerprint: str) -> ImageRef | None:
        """The image under ``key`` if it was stored with this fingerprint, else None."""
        ...

    def presigned_url(self, key: str, *, ttl_s: int) -> str:
        """A link that reads the object without credentials for ``ttl_s`` seconds."""
        ...

    def put_json(self, key: str, text: str) -> None:
        """Store a JSON document."""
        ...

    def get_json(self, key: str) -> str | None:
        """A stored JSON document, or None."""
        ...

    def list_keys(self, prefix: str) -> Iterator[str]:
        """All keys that start with ``prefix``, in order."""
        ...

    def delete(self, key: str) -> None:
        """Remove one object; nothing happens if it is not there."""
        ...

    def delete_prefix(self, prefix: str) -> None:
        """Remove every object whose key starts with ``prefix`` (which may not be empty)."""
        ...

    def ensure_bucket(self) -> None:
        """Make the bucket if it does not exist."""
        ...

    def healthy(self) -> bool:
        """Whether the store answers and the bucket is there."""
        ...


def reference(bucket: str, key: str, data: bytes, *, width_px: int, height_px: int) -> ImageRef:
    """The reference of ``data`` stored under ``key``."""
    return ImageRef(
        bucket=bucket,
        key=key,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        width_px=width_px,
        height_px=height_px,
    )


def verified(ref: ImageRef, data: bytes) -> bytes:
    """``data`` itself if it is what ``ref`` says.

    Raises:
        ObjectMissingError: if size or hash differ.
    """
    if len(data) != ref.size_bytes or hashlib.sha256(data).hexdigest() != ref.sha256:
        raise ObjectMissingError(f"The stored object {ref.key} is not what its hash says.")
    return data
