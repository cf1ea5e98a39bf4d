"""``python -m services.gateway keys create|rotate|list|revoke``: administration of API keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, NoReturn

import redis
import redis.asyncio
import typer

from services.gateway.auth import (
    ALL_SCOPES,
    ApiKey,
    KeyLimits,
    Scope,
    create_key,
    new_tenant,
    rotate_key,
)
from services.gateway.backends.redis_keys import RedisApiKeyStore
from services.gateway.settings import GatewaySettings
from shared.stores.accounts import AccountRecords
from shared.stores.s3_images import S3ImageStore
from shared.stores.tenants import AccountTenantStore, new_webhook_secret

keys = typer.Typer(no_args_is_help=True, help="Make, rotate, list and revoke API keys.")


@keys.command()
def create(
    *,
    name: Annotated[str, typer.Option(help="To tell keys apart.")] = "",
    tenant: Annotated[str, typer.Option(help="Owner; by default the first key's.")] = "",
    new_owner: Annotated[bool, typer.Option("--new-tenant", help="For a new owner.")] = False,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it may do; several times; by default all.")
    ] = None,
    days: Annotated[float | None, typer.Option(help="Lifetime; by default endless.")] = None,
    weight: Annotated[int, typer.Option(help="Turns beside a key of weight 1.")] = 1,
    max_in_flight: Annotated[int | None, typer.Option(help="More trajectories wait.")] = None,
    max_waiting: Annotated[int | None, typer.Option(help="More are turned away.")] = None,
    calls_per_day: Annotated[int | None, typer.Option(help="More are turned away.")] = None,
) -> None:
    """Make a key; it is shown this once."""
    lifetime = None if days is None else timedelta(days=days)
    scopes = tuple(scope or ALL_SCOPES)
    limits = KeyLimits(
        weight=weight,
        max_in_flight=max_in_flight,
        max_waiting=max_waiting,
        calls_per_day=calls_per_day,
    )

    async def work() -> None:
        settings = GatewaySettings()
        async with _key_store(settings) as store:
            known = await store.all()
            owner = tenant or (known[0].tenant if known and not new_owner else new_tenant())
            _ensure_tenant(settings, owner)
            secret, key = await create_key(
                store,
                tenant=owner,
                now=datetime.now(UTC),
                name=name,
                scopes=scopes,
                lifetime=lifetime,
                limits=limits,
            )
        typer.echo(f"{key.id} for {owner}, shown only now:\n{secret}")

    asyncio.run(work())


@keys.command()
def rotate(
    key_id: Annotated[str, typer.Argument(help="Id from the list.")],
    overlap_hours: Annotated[float, typer.Option(min=0, help="The old key works so long.")] = 24.0,
) -> None:
    """Make a key with the same rights; it is shown this once, the old one ends later."""

    async def work() -> tuple[str, ApiKey] | None:
        async with _key_store(GatewaySettings()) as store:
            overlap = timedelta(hours=overlap_hours)
            return await rotate_key(store, key_id, now=datetime.now(UTC), overlap=overlap)

    made = asyncio.run(work())
    if made is None:
        _unknown(key_id)
    secret, key = made
    typer.echo(f"{key.id} for {key.tenant}, shown only now:\n{secret}")


@keys.command("list")
def list_keys() -> None:
    """List keys, without their secrets."""

    async def work() -> None:
        async with _key_store(GatewaySettings()) as store:
            for key in await store.all():
                typer.echo(_line(key))

    asyncio.run(work())


@keys.command()
def revoke(key_id: Annotated[str, typer.Argument(help="Id from the list.")]) -> None:
    """Make a key useless from now on."""

    async def work() -> ApiKey | None:
        async with _key_store(GatewaySettings()) as store:
            return await store.end(key_id, at=datetime.now(UTC))

    if asyncio.run(work()) is None:
        _unknown(key_id)


def _unknown(key_id: str) -> NoReturn:
    typer.echo(f"There is no key {key_id}.", err=True)
    raise typer.Exit(1)


@asynccontextmanager
async def _key_store(settings: GatewaySettings) -> AsyncGenerator[RedisApiKeyStore]:
    client = redis.asyncio.Redis.from_url(settings.redis_url)
    try:
        with _accounts(settings) as accounts:
            yield RedisApiKeyStore(client, accounts)
    finally:
        await client.aclose()


@contextmanager
def _accounts(settings: GatewaySettings) -> Generator[AccountRecords]:
    with redis.Redis.from_url(settings.redis_url) as client:
        yield AccountRecords(client, S3ImageStore(settings.storage))


def _ensure_tenant(settings: GatewaySettings, tenant: str) -> None:
    with _accounts(settings) as accounts:
        AccountTenantStore(accounts).ensure(tenant, webhook_secret=new_webhook_secret())


def _line(key: ApiKey) -> str:
    until = _until(key)
    scopes = ",".join(scope.value for scope in key.scopes)
    limits = ",".join(f"{name}={value}" for name, value in key.limits if value is not None)
    return f"{key.id}  ...{key.hint}  {key.tenant}  {scopes}  {until}  {limits}  {key.name}"


def _until(key: ApiKey) -> str:
    if key.expires_at is None:
        return "for ever"
    past = key.expires_at <= datetime.now(UTC)
    return f"{'ended' if past else 'until'} {key.expires_at:%Y-%m-%d %H:%M}"
