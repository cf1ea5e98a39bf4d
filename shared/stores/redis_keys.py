"""Names of the keys in Redis that trajectories, leases and deliveries are kept under."""

from __future__ import annotations

_PREFIX = "interleave"

ACTIVE = f"{_PREFIX}:active"
"""Sorted set of unfinished trajectories with pending commands, by the time of their last save."""
DEADLINES = f"{_PREFIX}:deadlines"
"""Sorted set of unfinished trajectories by deadline."""
INBOXES = f"{_PREFIX}:inboxes"
"""Set of trajectories whose inbox is not empty."""
DUE = f"{_PREFIX}:webhooks:due"
"""Sorted set of deliveries by the time of their next try."""
CLAIMED = f"{_PREFIX}:webhooks:claimed"
"""Sorted set of deliveries that somebody tries, by the time until which nobody else may."""
UNDELIVERED = f"{_PREFIX}:webhooks:undelivered"
"""Sorted set of deliveries that are still tried, by the time since when."""
LOGS = f"{_PREFIX}:webhooks:logs"
"""Set of the names of all tenants' logs of deliveries."""
EPOCH = f"{_PREFIX}:epoch"
"""Exists as long as this server has not lost its data."""


def record(trajectory_id: str) -> str:
    """Hash: ``version``, ``body``."""
    return f"{_PREFIX}:trajectory:{trajectory_id}"


def events(trajectory_id: str) -> str:
    """Stream of public events, ids ``<sequence>-0``."""
    return f"{_PREFIX}:trajectory:{trajectory_id}:events"


def pending(trajectory_id: str) -> str:
    """Set of ids of pending commands."""
    return f"{_PREFIX}:trajectory:{trajectory_id}:pending"


def inbox(trajectory_id: str) -> str:
    """List of happenings that callers posted."""
    return f"{_PREFIX}:trajectory:{trajectory_id}:inbox"


def executions(trajectory_id: str) -> str:
    """Hash: command id -> how often its execution began; ``<id>:deaths`` -> how often alone."""
    return f"{_PREFIX}:trajectory:{trajectory_id}:executions"


def resends(trajectory_id: str) -> str:
    """Hash: command id -> ``<times re-sent>:<not again before, in seconds>``."""
    return f"{_PREFIX}:trajectory:{trajectory_id}:resends"


def lease(trajectory_id: str, command_id: str) -> str:
    """String: token of whoever runs the command."""
    return f"{_PREFIX}:lease:{trajectory_id}:{command_id}"


def owned(tenant: str) -> str:
    """Sorted set of a tenant's trajectories by creation."""
    return f"{_PREFIX}:tenant:{tenant}:trajectories"


def delivery(delivery_id: str) -> str:
    """String: one delivery."""
    return f"{_PREFIX}:webhook:{delivery_id}"


def deliveries(tenant: str) -> str:
    """Sorted set of a tenant's deliveries by creation."""
    return f"{_PREFIX}:tenant:{tenant}:webhooks"


def endpoint_deliveries(endpoint_id: str) -> str:
    """Sorted set of one endpoint's deliveries by creation."""
    return f"{_PREFIX}:endpoint:{endpoint_id}:webhooks"


def outbox(trajectory_id: str, endpoint_id: str | None) -> str:
    """Sorted set of deliveries to one address that were never tried, by sequence."""
    return f"{_PREFIX}:trajectory:{trajectory_id}:outbox:{endpoint_id or ''}"


def gone(trajectory_id: str) -> str:
    """String that exists while the address a request named has answered 410."""
    return f"{_PREFIX}:trajectory:{trajectory_id}:gone"


ADMISSION = f"{_PREFIX}:admission:"
"""Begins every name that admission uses (see ``admission_scripts``)."""


def admission(*parts: str) -> str:
    """A name that admission uses."""
    return ADMISSION + ":".join(parts)
