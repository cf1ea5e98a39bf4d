"""Webhooks: endpoints that a tenant registered, and deliveries with their tries.

A delivery is one event on its way to one address: an endpoint's, or the one that a request
named. Sending is the orchestrator's; where these are kept, see ``shared.stores``.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from shared.contracts.wire import Wire

EVERY_EVENT = "*"
"""Stands for all types in an endpoint's filter."""


class DisabledReason(StrEnum):
    """Why an endpoint gets nothing."""

    GONE = "gone"
    """The receiver answered 410."""
    OWNER = "owner"
    """Its owner switched it off."""


class SigningKey(Wire):
    """A secret that signatures are made with, until it expires (None: for ever)."""

    secret: str
    expires_at: AwareDatetime | None = None


class WebhookEndpoint(Wire):
    """An address that gets the events of all of a tenant's trajectories."""

    id: str
    tenant: str
    url: str
    description: str = ""
    events: tuple[str, ...] = ()
    """Types it wants; empty: every final state; ``*``: all."""
    keys: tuple[SigningKey, ...]
    """Newest first; while two are alive, every delivery carries two signatures."""
    created_at: AwareDatetime
    updated_at: AwareDatetime
    disabled_at: AwareDatetime | None = None
    disabled_reason: DisabledReason | None = None

    def live_secrets(self, now: datetime) -> tuple[str, ...]:
        """The secrets to sign with, newest first."""
        alive = (k for k in self.keys if k.expires_at is None or k.expires_at > now)
        return tuple(key.secret for key in alive)


class DeliveryStatus(StrEnum):
    """Where a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Every try of the schedule failed, or the address may not be visited."""
    DISABLED = "disabled"
    """The receiver answered 410 Gone, or its endpoint was disabled before it was sent."""

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
    endpoint: str | None = None
    """Id of the endpoint it is for; None: the address that the request named."""
    body: str
    """The very bytes (UTF-8) that are signed and sent."""
    created_at: AwareDatetime
    status: DeliveryStatus = DeliveryStatus.PENDING
    tries: tuple[DeliveryTry, ...] = ()
    round: int = 0
    """How many of ``tries`` were made before the newest replay."""
