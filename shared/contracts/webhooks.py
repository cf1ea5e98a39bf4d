"""A webhook delivery: one event on its way to one address, and how its tries went."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime

from shared.contracts.wire import Wire


class DeliveryStatus(StrEnum):
    """Where a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Every try of the schedule failed, or the address may not be visited."""
    DISABLED = "disabled"
    """The receiver answered 410 Gone."""

    @property
    def final(self) -> bool:
        """Whether it is not tried again by itself."""
        return self is not DeliveryStatus.PENDING


class DeliveryTry(Wire):
    """One try; ``status_code`` None means no answer came."""

    at: AwareDatetime
    status_code: int | None = None
    detail: str = ""


class Delivery(Wire):
    """One event for one address. ``id`` is the ``webhook-id`` and never changes."""

    id: str
    tenant: str
    trajectory_id: str
    sequence: int
    event: str
    url: str
    body: str
    """The very bytes (UTF-8) that are signed and sent."""
    created_at: AwareDatetime
    status: DeliveryStatus = DeliveryStatus.PENDING
    tries: tuple[DeliveryTry, ...] = ()
    round: int = 0
    """How many of ``tries`` were made before the newest replay."""
