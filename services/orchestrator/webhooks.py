"""Webhooks on their way out: to whom, signed with what, and when to try again.

One try itself is in ``sending``. What is due is known to the store alone, so that tries go on
after a restart where they were.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from services.orchestrator.measures import WEBHOOK_TRIES
from services.orchestrator.ports import Clock, SigningSecrets
from services.orchestrator.sending import Outcome, Sender
from shared.contracts.webhooks import (
    Delivery,
    DeliveryStatus,
    DeliveryTry,
    DisabledReason,
    WebhookEndpoint,
)
from shared.stores.deliveries import DeliveryStore
from shared.stores.endpoints import EndpointStore

_log = structlog.get_logger(__name__)
_MINUTE_S = 60.0
_HOUR_S = 3600.0
TRIES_AT_S = (
    0.0,
    5.0,
    5 * _MINUTE_S,
    30 * _MINUTE_S,
    2 * _HOUR_S,
    5 * _HOUR_S,
    10 * _HOUR_S,
    14 * _HOUR_S,
    20 * _HOUR_S,
    24 * _HOUR_S,
)
"""When each try is made, counted from the first."""
_JITTER = 0.1
_SHORTEST_PAUSE_S = 5.0


class Deliverer:
    """Makes the tries that are due and plans the next ones."""

    def __init__(
        self,
        store: DeliveryStore,
        sender: Sender,
        *,
        secrets: SigningSecrets,
        endpoints: EndpointStore,
        clock: Clock,
        busy_s: float,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._sender = sender
        self._secrets = secrets
        self._endpoints = endpoints
        self._clock = clock
        self._busy_s = busy_s
        self._jitter = jitter

    def deliver(self, delivery_id: str) -> None:
        """Try a delivery if it is due and nobody else is at it; then those that waited for it."""
        now = self._clock()
        delivery = self._store.claim(delivery_id, now=now, busy_s=self._busy_s)
        while delivery is not None and not delivery.status.final:
            first = not delivery.tries
            self._try(delivery, now)
            now = self._clock()
            if not first:
                return
            delivery = self._store.claim_next(delivery, now=now, busy_s=self._busy_s)

    def _try(self, delivery: Delivery, now: datetime) -> None:
        send = self._send_named if delivery.endpoint is None else self._send_to_endpoint
        self._record(delivery, send(delivery, now), now)

    def _send_named(self, delivery: Delivery, now: datetime) -> Outcome:
        """To the address that the request named, signed with the tenant's secret."""
        if self._store.is_gone(delivery.trajectory_id):
            return Outcome(None, "The receiver answered 410 before.", disabled=True)
        secret = self._secrets.webhook_secret(delivery.tenant)
        if secret is None:
            return Outcome(None, "The tenant has no signing secret.", hopeless=True)
        outcome = self._sender.send(delivery, url=delivery.url, secrets=[secret], now=now)
        if outcome.gone:
            self._store.mark_gone(delivery.trajectory_id)
        return outcome

    def _send_to_endpoint(self, delivery: Delivery, now: datetime) -> Outcome:
        """To an endpoint as it is now: its address, secrets and state may have changed."""
        endpoint = self._endpoints.load(delivery.tenant, delivery.endpoint or "")
        if endpoint is None:
            return Outcome(None, "The endpoint was deleted.", hopeless=True)
        if endpoint.disabled_at is not None:
            return Outcome(None, "The endpoint is disabled.", disabled=True)
        secrets = endpoint.live_secrets(now)
        outcome = self._sender.send(delivery, url=endpoint.url, secrets=secrets, now=now)
        if outcome.gone:
            self._endpoints.change(endpoint.tenant, endpoint.id, lambda old: _gone(old, now))
            _log.warning("webhook_endpoint_disabled", endpoint_id=endpoint.id)
        return outcome

    def _record(self, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
        tried = DeliveryTry(at=now, status_code=outcome.status_code, detail=outcome.detail)
        tries = (*delivery.tries, tried)
        next_at = self._next_at(delivery, outcome, now)
        status = _status(outcome, given_up=next_at is None)
        updated = delivery.model_copy(update={"tries": tries, "status": status})
        self._store.record(updated, next_at=next_at)
        WEBHOOK_TRIES.labels(str(status)).inc()
        _log.info(
            "webhook_tried",
            trajectory_id=delivery.trajectory_id,
            delivery_id=delivery.id,
            status=str(status),
            status_code=outcome.status_code,
        )

    def _next_at(self, delivery: Delivery, outcome: Outcome, now: datetime) -> datetime | None:
        if outcome.delivered or outcome.hopeless or outcome.gone or outcome.disabled:
            return None
        this_round = delivery.tries[delivery.round :]
        number = len(this_round) + 1
        if number >= len(TRIES_AT_S):
            return None
        first_at = this_round[0].at if this_round else now
        wait_s = TRIES_AT_S[number] * (1 + _JITTER * self._jitter())
        earliest = now + timedelta(seconds=_SHORTEST_PAUSE_S)
        return max(first_at + timedelta(seconds=wait_s), earliest)


def _status(outcome: Outcome, *, given_up: bool) -> DeliveryStatus:
    if outcome.delivered:
        return DeliveryStatus.DELIVERED
    if outcome.gone or outcome.disabled:
        return DeliveryStatus.DISABLED
    return DeliveryStatus.FAILED if given_up else DeliveryStatus.PENDING


def _gone(endpoint: WebhookEndpoint, now: datetime) -> WebhookEndpoint:
    changes = {
        "disabled_at": now,
        "disabled_reason": DisabledReason.GONE,
        "updated_at": now,
    }
    return endpoint.model_copy(update=changes)
