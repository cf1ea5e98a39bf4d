"""An image store in memory, and ones that fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.contracts.images import ImageRef
from shared.errors import ObjectMissingError, StoreUnavailableError
from shared.stores.images import reference, verified


@dataclass(frozen=True, slots=True)
class StoredObject:
    data: bytes
    ref: ImageRef | None = None
    fingerprint: str = ""


@dataclass(slots=True)
class MemoryImageStore:
    """An ``ImageStore`` that forgets everything with the process."""

    bucket: str = "memory"
    objects: dict[str, StoredObject] = field(default_factory=dict)

    def put(
        self, key: str, data: bytes, *, width_px: int, height_px: int, fingerprint: str = ""
    ) -> ImageRef:
        ref = reference(self.bucket, key, data, width_px=width_px, height_px=height_px)
        self.objects[key] = StoredObject(data, ref, fingerprint)
        return ref

    def get(self, ref: ImageRef) -> bytes:
        if ref.bucket != self.bucket or ref.key not in self.objects:
            raise ObjectMissingError(f"The object {ref.key} is not in the store.")
        return verified(ref, self.objects[ref.key].data)

    def stat(self, key: str) -> ImageRef | None:
        if key not in self.objects:
            return None
        ref = self.objects[key].ref
        if ref is None:
            raise ObjectMissingError(f"The object {key} was not stored as an image.")
        return ref

    def find(self, key: str, *, fingerprint: str) -> ImageRef | None:
        found = self.objects.get(key)
        return found.ref if found is not None and found.fingerprint == fingerprint else None

    def presigned_url(self, key: str, *, ttl_s: int) -> str:
        return f"memory://{self.bucket}/{key}?expires={ttl_s}"

    def put_json(self, key: str, text: str) -> None:
        self.objects[key] = StoredObject(text.encode())

    def get_json(self, key: str) -> str | None:
        return self.objects[key].data.decode() if key in self.objects else None

    def list_keys(self, prefix: str) -> Iterator[str]:
        yield from sorted(key for key in self.objects if key.startswith(prefix))

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def delete_prefix(self, prefix: str) -> None:
        if not prefix:
            raise ValueError("an empty prefix would delete everything")
        for key in list(self.list_keys(prefix)):
            self.delete(key)

    def ensure_bucket(self) -> None:
        return

    def healthy(self) -> bool:
        return True

    def damage(self, key: str, data: bytes) -> None:
        """Change an object's bytes behind its reference."""
        old = self.objects[key]
        self.objects[key] = StoredObject(data, old.ref, old.fingerprint)


@dataclass(slots=True)
class AwayForSomeCalls(MemoryImageStore):
    """Cannot be reached for the first ``away`` calls of put, get or find."""

    away: int = 1

    def put(
        self, key: str, data: bytes, *, width_px: int, height_px: int, fingerprint: str = ""
    ) -> ImageRef:
        self._maybe_fail()
        return MemoryImageStore.put(
            self, key, data, width_px=width_px, height_px=height_px, fingerprint=fingerprint
        )

    def get(self, ref: ImageRef) -> bytes:
        self._maybe_fail()
        return MemoryImageStore.get(self, ref)

    def find(self, key: str, *, fingerprint: str) -> ImageRef | None:
        self._maybe_fail()
        return MemoryImageStore.find(self, key, fingerprint=fingerprint)

    def healthy(self) -> bool:
        return self.away <= 0

    def _maybe_fail(self) -> None:
        if self.away > 0:
            self.away -= 1
            raise StoreUnavailableError("away")


@dataclass(slots=True)
class JournalAway(MemoryImageStore):
    """Takes no JSON while it is away."""

    away: bool = True

    def put_json(self, key: str, text: str) -> None:
        if self.away:
            raise StoreUnavailableError("away")
        MemoryImageStore.put_json(self, key, text)
