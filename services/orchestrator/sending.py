"""One webhook try: signed, to a checked address only, without following redirects.

When to try again is decided in ``webhooks``.
Source: Standard Webhooks 1.0 (signature over ``id.timestamp.body``, HMAC-SHA256; several
signatures are separated by spaces).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx

from shared.contracts.webhooks import Delivery
from shared.errors import InvalidRequestError
from shared.http.guard import PinnedUrl, Resolver, UrlPolicy, pin_url, system_resolver
from shared.stores.tenants import SECRET_PREFIX

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
    disabled: bool = False
    """Nobody wants it there: the endpoint is switched off."""

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status_code is not None and 200 <= self.status_code < 300  # noqa: PLR2004

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing more."""
        return self.status_code == _GONE


class Sender:
    """Posts one delivery."""

    def __init__(
        self, client: httpx.Client, *, policy: UrlPolicy, resolver: Resolver = system_resolver
    ) -> None:
        self._client = client
        self._policy = policy
        self._resolver = resolver

    def send(
        self, delivery: Delivery, *, url: str, secrets: Sequence[str], now: datetime
    ) -> Outcome:
        """One try; the address is resolved and checked anew each time."""
        try:
            target = pin_url(url, self._policy, resolver=self._resolver)
        except InvalidRequestError as error:
            return Outcome(None, error.detail, hopeless=True)
        try:
            with self._client.stream(
                "POST",
                target.url,
                content=delivery.body.encode(),
                headers=_headers(delivery, target, secrets=secrets, now=now),
                extensions={"sni_hostname": target.sni},
            ) as response:
                return Outcome(response.status_code)
        except (httpx.HTTPError, OSError) as error:
            return Outcome(None, type(error).__name__)


def _headers(
    delivery: Delivery, target: PinnedUrl, *, secrets: Sequence[str], now: datetime
) -> dict[str, str]:
    timestamp_s = int(now.timestamp())
    signatures = (
        signature(secret, delivery.id, timestamp_s=timestamp_s, body=delivery.body)
        for secret in secrets
    )
    return {
        "host": target.host_header,
        "content-type": "application/json",
        "user-agent": "interleave-webhooks",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(signatures),
    }
