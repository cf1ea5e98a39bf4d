"""The first API key of a new installation, made at first start and shown once.

With a key file the key in it is the installation's for good: if the records are lost, the same
key (and so the same tenant and webhook secret, both derived from it) is put back.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sys
from datetime import datetime
from pathlib import Path

import anyio

from services.gateway.auth import ApiKeyStore, digest_of, is_key, new_secret, record_of
from shared.stores.tenants import TenantStore, webhook_secret_from

_OWNER_ONLY = 0o600


async def ensure_first_key(
    keys: ApiKeyStore, tenants: TenantStore, *, key_file: Path | None, now: datetime
) -> None:
    """Make a key if there is none yet, or put back the one in ``key_file``."""
    kept = None if key_file is None else await anyio.to_thread.run_sync(_read, key_file)
    if kept is None and await keys.all():
        return
    secret = kept or await _publish(new_secret(), key_file)
    digest = digest_of(secret)
    tenant = f"ten_{digest[:24]}"
    webhook_key = hmac.digest(secret.encode(), b"webhook signing secret", hashlib.sha256)
    await anyio.to_thread.run_sync(
        lambda: tenants.ensure(tenant, webhook_secret=webhook_secret_from(webhook_key))
    )
    if await keys.find(digest) is None:
        await keys.add(record_of(secret, tenant, now=now, name="first key"))


def _read(path: Path) -> str | None:
    try:
        text = path.read_text().strip()
    except FileNotFoundError:
        return None
    if not is_key(text):
        message = f"{path} does not hold an API key; remove it to have a new one made"
        raise ValueError(message)
    return text


async def _publish(secret: str, path: Path | None) -> str:
    """Show the key once; gives the key that counts if another process was quicker."""
    if path is None:
        sys.stdout.write(f"First API key (shown only now): {secret}\n")
        sys.stdout.flush()
        return secret
    return await anyio.to_thread.run_sync(_write, secret, path)


def _write(secret: str, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
    try:
        # A link appears whole or not at all, and never replaces a file.
        path.hardlink_to(draft)
    except FileExistsError:
        return _read(path) or secret
    finally:
        draft.unlink()
    return secret
