"""``Idempotency-Key``: the same request sent twice makes one trajectory.

A key belongs to one API key and one body for 24 hours. The trajectory's id is chosen when the
key is first seen and kept with it: whoever comes after a crash between reserving and creating
goes on with that id, and the record store's create-once rule does the rest.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Protocol

from shared.contracts.wire import Wire
from shared.errors import ConflictError, InvalidRequestError

KEPT_S = 24 * 3600
IN_FLIGHT_S = 90
"""After this long a request that never finished is taken over by its repetition."""
_KEY = re.compile(r"^[\x21-\x7e]{1,255}$")


class Reservation(Wire):
    """What is known of an idempotency key."""

    fingerprint: str
    trajectory_id: str
    created: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """How to go on: make ``trajectory_id``, or (``replayed``) show it."""

    name: str
    trajectory_id: str
    fingerprint: str
    replayed: bool


class ReservationStore(Protocol):
    """Reservations by name, forgotten after ``KEPT_S``; a lock on each while it is in flight."""

    async def reserve(self, name: str, reservation: Reservation) -> Reservation | None:
        """Keep ``reservation`` if the name is new; otherwise give the one that is there."""
        ...

    async def lock(self, name: str) -> bool:
        """Take the in-flight lock for ``IN_FLIGHT_S``; False while somebody else has it."""
        ...

    async def finish(self, name: str, reservation: Reservation) -> None:
        """Keep the final form and let go of the lock."""
        ...

    async def abandon(self, name: str) -> None:
        """Forget name and lock: nothing was created."""
        ...

    async def unlock(self, name: str) -> None:
        """Let go of the lock alone: what the name stands for may exist or not."""
        ...


async def claim(
    store: ReservationStore, *, owner: str, key: str, body: bytes, trajectory_id: str
) -> Claim:
    """Decide what a request with an ``Idempotency-Key`` means.

    Args:
        store: where reservations are.
        owner: id of the API key.
        key: the header's value.
        body: the request in canonical form.
        trajectory_id: used if the key is new.

    Raises:
        InvalidRequestError: malformed key, or used before with another body.
        ConflictError: the first request is still being served.
    """
    if not _KEY.match(key):
        raise InvalidRequestError("`Idempotency-Key` must be 1 to 255 visible ASCII characters.")
    name = hashlib.sha256(f"{owner}\n{key}".encode()).hexdigest()
    fingerprint = hashlib.sha256(body).hexdigest()
    wanted = Reservation(fingerprint=fingerprint, trajectory_id=trajectory_id)
    found = await store.reserve(name, wanted) or wanted
    if found.fingerprint != fingerprint:
        message = "This `Idempotency-Key` was used with another body; use a new key."
        raise InvalidRequestError(message)
    if not found.created and not await store.lock(name):
        raise ConflictError("The first request with this `Idempotency-Key` is still running.")
    return Claim(name, found.trajectory_id, fingerprint, replayed=found.created)


async def settle(store: ReservationStore, claimed: Claim) -> None:
    """The trajectory exists: from now on the key shows it."""
    done = Reservation(
        fingerprint=claimed.fingerprint, trajectory_id=claimed.trajectory_id, created=True
    )
    await store.finish(claimed.name, done)
