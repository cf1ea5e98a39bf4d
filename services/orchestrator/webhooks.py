"""Webhooks on their way out: signing, sending, and when to try again.

Source: Standard Webhooks 1.0 (signature over ``id.timestamp.body``, HMAC-SHA256).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
import structlog

from services.orchestrator.measures import WEBHOOK_TRIES
from services.orchestrator.ports import Clock, SigningSecrets
from shared.contracts.webhooks import Delivery, DeliveryStatus, DeliveryTry
from shared.errors import InvalidRequestError
from shared.http.guard import PinnedUrl, Resolver, UrlPolicy, pin_url, system_resolver
from shared.stores.deliveries import DeliveryStore
from shared.stores.tenants import SECRET_PREFIX

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
_GONE = 410


def signature(secret: str, delivery_id: str, *, timestamp_s: int, body: str) -> str:
    """The ``webhook-signature`` value for one secret (``whsec_`` + base64 of the key)."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{delivery_id}.{timestamp_s}.{body}".encode()
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try went."""

    status_code: int | None
    detail: str = ""
    hopeless: bool = False
    """The address itself may not be visited: trying again would not help."""

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status_code is not None and 200 <= self.status_code < 300  # noqa: PLR2004


class Sender:
    """Posts one delivery: to a checked address only, without following redirects."""

    def __init__(
        self, client: httpx.Client, *, policy: UrlPolicy, resolver: Resolver = system_resolver
    ) -> None:
        self._client = client
        self._policy = policy
        self._resolver = resolver

    def send(self, delivery: Delivery, *, secret: str, now: datetime) -> Outcome:
        """One try."""
        try:
            target = pin_url(delivery.url, self._policy, resolver=self._resolver)
        except InvalidRequestError as error:
            return Outcome(None, error.detail, hopeless=True)
        try:
            with self._client.stream(
                "POST",
                target.url,
                content=delivery.body.encode(),
                headers=_headers(delivery, target, secret=secret, now=now),
                extensions={"sni_hostname": target.sni},
            ) as response:
                return Outcome(response.status_code)
        except (httpx.HTTPError, OSError) as error:
            return Outcome(None, type(error).__name__)


class Deliverer:
    """Makes the tries that are due and plans the next ones."""

    def __init__(
        self,
        store: DeliveryStore,
        sender: Sender,
        *,
        secrets: SigningSecrets,
        clock: Clock,
        busy_s: float,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._sender = sender
        self._secrets = secrets
        self._clock = clock
        self._busy_s = busy_s
        self._jitter = jitter

    def deliver(self, delivery_id: str) -> None:
        """Try a delivery if it is due and nobody else is at it."""
        now = self._clock()
        delivery = self._store.claim(delivery_id, now=now, busy_s=self._busy_s)
        if delivery is None or delivery.status.final:
            return
        secret = self._secrets.webhook_secret(delivery.tenant)
        if secret is None:
            outcome = Outcome(None, "The tenant has no signing secret.", hopeless=True)
        else:
            outcome = self._sender.send(delivery, secret=secret, now=now)
        self._record(delivery, outcome, now)

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
        if outcome.delivered or outcome.hopeless or outcome.status_code == _GONE:
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
    if outcome.status_code == _GONE:
        return DeliveryStatus.DISABLED
    return DeliveryStatus.FAILED if given_up else DeliveryStatus.PENDING


def _headers(
    delivery: Delivery, target: PinnedUrl, *, secret: str, now: datetime
) -> dict[str, str]:
    timestamp_s = int(now.timestamp())
    signed = signature(secret, delivery.id, timestamp_s=timestamp_s, body=delivery.body)
    return {
        "host": target.host_header,
        "content-type": "application/json",
        "user-agent": "interleave-webhooks",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": signed,
    }
