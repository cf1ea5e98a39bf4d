"""API keys: their form, their scopes, and who a request comes from.

A key is ``il_`` and 256 random bits; only its SHA-256 is kept, so it is shown once. HTTP lives
in ``routes``, Redis in ``backends.redis_keys``.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import AwareDatetime, Field

from shared.contracts.wire import Wire
from shared.errors import ForbiddenError, UnauthenticatedError

_KEY = re.compile(r"^il_[0-9A-Za-z_-]{43}$")
_ID_BYTES = 12


class Scope(StrEnum):
    """What a key may do."""

    READ = "trajectories:read"
    """See trajectories, events, documents, files and generators; ask for estimates."""
    WRITE = "trajectories:write"
    """Upload, start, change, cancel and delete."""
    WEBHOOKS = "webhooks"
    """Endpoints, their secrets, deliveries and replays."""
    ADMIN = "admin"
    """All of it."""


ALL_SCOPES = tuple(Scope)


class KeyLimits(Wire):
    """What a key may use; None is whatever the gateway's settings say."""

    weight: Annotated[int, Field(ge=1, le=100)] = 1
    """Turns for each turn of a key with weight 1, where several wait."""
    max_in_flight: Annotated[int | None, Field(ge=1)] = None
    """More trajectories than this wait."""
    max_waiting: Annotated[int | None, Field(ge=0)] = None
    """More waiting trajectories than this are turned away."""
    calls_per_day: Annotated[int | None, Field(ge=1)] = None
    """More calls than this in 24 hours are turned away."""


NO_LIMITS = KeyLimits()


class ApiKey(Wire):
    """A key's record; ``digest`` is all that is kept of the key itself."""

    id: str
    tenant: str
    name: str = ""
    scopes: tuple[Scope, ...] = ALL_SCOPES
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    hint: str = ""
    """The key's last four characters, to tell keys apart."""
    digest: str
    limits: KeyLimits = NO_LIMITS


class ApiKeyStore(Protocol):
    """Records of keys by digest."""

    async def find(self, digest: str) -> ApiKey | None:
        """The record of a live key."""
        ...

    async def add(self, key: ApiKey) -> None:
        """Keep a record."""
        ...

    async def all(self) -> Sequence[ApiKey]:
        """Every record, oldest first."""
        ...

    async def end(self, key_id: str, *, at: datetime) -> ApiKey | None:
        """Make a key useless from ``at`` on, if it is not before; gives its new record.

        The record stays, so that nothing can bring the key back.
        """
        ...


def new_secret() -> str:
    """A fresh key."""
    return "il_" + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_tenant() -> str:
    """A fresh tenant id."""
    return "ten_" + secrets.token_hex(_ID_BYTES)


def record_of(
    secret: str,
    tenant: str,
    *,
    now: datetime,
    name: str = "",
    scopes: tuple[Scope, ...] = ALL_SCOPES,
    lifetime: timedelta | None = None,
    limits: KeyLimits = NO_LIMITS,
) -> ApiKey:
    """The record under which ``secret`` will be known."""
    digest = digest_of(secret)
    return ApiKey(
        id="key_" + digest[: 2 * _ID_BYTES],
        tenant=tenant,
        name=name,
        scopes=scopes,
        created_at=now,
        expires_at=None if lifetime is None else now + lifetime,
        hint=secret[-4:],
        digest=digest,
        limits=limits,
    )


async def create_key(
    store: ApiKeyStore,
    *,
    tenant: str,
    now: datetime,
    name: str = "",
    scopes: tuple[Scope, ...] = ALL_SCOPES,
    lifetime: timedelta | None = None,
    limits: KeyLimits = NO_LIMITS,
) -> tuple[str, ApiKey]:
    """Make a key; the first part of the answer is never seen again."""
    secret = new_secret()
    key = record_of(
        secret, tenant, now=now, name=name, scopes=scopes, lifetime=lifetime, limits=limits
    )
    await store.add(key)
    return secret, key


async def rotate_key(
    store: ApiKeyStore, key_id: str, *, now: datetime, overlap: timedelta
) -> tuple[str, ApiKey] | None:
    """Make a key with the same rights; the old one works for ``overlap`` beside it.

    None if there is no key ``key_id``.
    """
    old = next((key for key in await store.all() if key.id == key_id), None)
    if old is None:
        return None
    lifetime = None if old.expires_at is None else old.expires_at - old.created_at
    made = await create_key(
        store,
        tenant=old.tenant,
        now=now,
        name=old.name,
        scopes=old.scopes,
        lifetime=lifetime,
        limits=old.limits,
    )
    await store.end(key_id, at=now + overlap)
    return made


def ended(key: ApiKey, at: datetime) -> ApiKey:
    """The record of a key that is useless from ``at`` on, or earlier if it was to be."""
    until = at if key.expires_at is None else min(at, key.expires_at)
    return key.model_copy(update={"expires_at": until})


async def authenticate(store: ApiKeyStore, secret: str | None, *, now: datetime) -> ApiKey:
    """Whose key this is.

    Raises:
        UnauthenticatedError: no key, or one that is unknown, expired or revoked.
    """
    if secret is None:
        raise UnauthenticatedError("Send your API key as `Authorization: Bearer il_...`.")
    key = await store.find(digest_of(secret)) if is_key(secret) else None
    if key is None or (key.expires_at is not None and key.expires_at <= now):
        raise UnauthenticatedError("This API key is unknown, expired or revoked.")
    return key


def require_scope(key: ApiKey, scope: Scope) -> None:
    """Let pass whoever has ``scope`` or is an administrator; ForbiddenError otherwise."""
    if scope not in key.scopes and Scope.ADMIN not in key.scopes:
        raise ForbiddenError(f"This API key lacks the scope `{scope.value}`.")


def is_key(secret: str) -> bool:
    """Whether this has the form of a key."""
    return _KEY.match(secret) is not None
