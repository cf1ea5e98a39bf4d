"""A tenant's webhook deliveries: to look at and to send again. Sending is the orchestrator's."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import anyio

from shared.contracts.webhooks import Delivery
from shared.errors import ConflictError, NotFoundError


class DeliveryLog(Protocol):
    """What the gateway needs of a delivery store (see ``shared.stores.deliveries``)."""

    def load(self, delivery_id: str) -> Delivery | None:
        """One delivery."""
        ...

    def replay(self, delivery_id: str, *, now: datetime) -> Delivery | None:
        """Make a delivery due again."""
        ...

    def page(
        self, tenant: str, *, limit: int, cursor: str | None, endpoint: str | None = None
    ) -> tuple[list[Delivery], str | None]:
        """Newest first."""
        ...


async def replay(log: DeliveryLog, tenant: str, delivery_id: str, *, now: datetime) -> Delivery:
    """Have a delivery sent again, with a whole new schedule.

    Raises:
        NotFoundError: there is none, or it is not the tenant's.
        ConflictError: it is still being tried.
    """
    found = await anyio.to_thread.run_sync(log.load, delivery_id)
    if found is None or found.tenant != tenant:
        raise NotFoundError("There is no such delivery.")
    if not found.status.final:
        raise ConflictError("This delivery is still being tried.")
    again = await anyio.to_thread.run_sync(lambda: log.replay(delivery_id, now=now))
    return again or found
