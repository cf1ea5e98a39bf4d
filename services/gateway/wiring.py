"""Builds the parts out of real servers, and closes them: the only place that knows them all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import anyio
import redis
import redis.asyncio
import structlog
from redis.exceptions import RedisError

from services.gateway.admission import Admission
from services.gateway.backends.queue import CeleryDispatcher
from services.gateway.backends.redis_keys import RedisApiKeyStore
from services.gateway.backends.redis_limits import RedisCallCounter
from services.gateway.backends.redis_reservations import RedisReservationStore
from services.gateway.bootstrap import ensure_first_key
from services.gateway.catalogue import GeneratorCatalogue
from services.gateway.endpoints import Endpoints
from services.gateway.fetcher import ImageFetcher
from services.gateway.intake import ImageIntake
from services.gateway.parts import Parts
from services.gateway.pictures import PictureLimits
from services.gateway.service import Trajectories
from services.gateway.settings import GatewaySettings
from shared.clients.generator import GeneratorClient
from shared.clients.planner import PlannerClient
from shared.errors import StoreError
from shared.http.guard import Resolver, system_resolver
from shared.queue import make_celery
from shared.stores.accounts import AccountRecords
from shared.stores.deliveries import RedisDeliveryStore
from shared.stores.durations import RedisCallDurations
from shared.stores.endpoints import AccountEndpointStore
from shared.stores.events import EventFeed
from shared.stores.journal import Journal
from shared.stores.redis_trajectories import RedisTrajectoryStore
from shared.stores.s3_images import S3ImageStore
from shared.stores.tenants import AccountTenantStore

if TYPE_CHECKING:
    import httpx

    from shared.stores.images import ImageStore

_log = structlog.get_logger(__name__)
_READY_TIMEOUT_S = 3.0
_REDIS_TIMEOUT_S = 10.0
"""Longer than an event feed's blocking read."""


@asynccontextmanager
async def open_parts(
    settings: GatewaySettings,
    *,
    resolver: Resolver = system_resolver,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncGenerator[Parts]:
    """The gateway's parts on Redis, S3 and the model services that ``settings`` name.

    Args:
        settings: of the gateway.
        resolver: name -> addresses, for callers' URLs.
        transport: that visits callers' URLs; by default one of ``httpx``.
    """
    async with AsyncExitStack() as stack:
        records = redis.Redis.from_url(
            settings.redis_url, socket_timeout=_REDIS_TIMEOUT_S, socket_connect_timeout=2.0
        )
        stack.callback(records.close)
        fast = redis.asyncio.Redis.from_url(
            settings.redis_url, socket_timeout=_REDIS_TIMEOUT_S, socket_connect_timeout=2.0
        )
        stack.push_async_callback(fast.aclose)
        fetcher = ImageFetcher(
            policy=settings.url_policy,
            max_bytes=settings.max_image_bytes,
            timeout_s=settings.fetch_timeout_s,
            transport=transport,
            resolver=resolver,
        )
        stack.push_async_callback(fetcher.close)
        parts = _assemble(settings, records, fast, fetcher=fetcher, resolver=resolver)
        await _make_bucket(parts.images)
        await ensure_first_key(
            parts.keys,
            parts.tenants,
            key_file=settings.bootstrap_key_file,
            now=datetime.now(UTC),
        )
        yield parts


async def _make_bucket(images: ImageStore) -> None:
    """Have a bucket from the first start on; one that is away is somebody else's to mend."""
    try:
        await anyio.to_thread.run_sync(images.ensure_bucket)
    except StoreError as error:
        _log.warning("bucket_not_checked", code=error.code, detail=error.detail)


def _assemble(
    settings: GatewaySettings,
    records: redis.Redis,
    fast: redis.asyncio.Redis,
    *,
    fetcher: ImageFetcher,
    resolver: Resolver,
) -> Parts:
    images = S3ImageStore(settings.storage)
    accounts = AccountRecords(records, images)
    planner = PlannerClient(settings.planner_url)
    catalogue = GeneratorCatalogue(
        {name: GeneratorClient(url) for name, url in settings.generators.items()},
        default=settings.default_generator or next(iter(settings.generators)),
    )
    limits = PictureLimits(settings.max_image_bytes, settings.max_image_pixels)
    intake = ImageIntake(images, fetcher, limits)
    deliveries = RedisDeliveryStore(records)
    admission = Admission(
        catalogue=catalogue,
        intake=intake,
        planner=planner,
        url_policy=settings.url_policy,
        max_images=settings.max_images,
        resolver=resolver,
    )
    return Parts(
        settings=settings,
        keys=RedisApiKeyStore(fast, accounts),
        tenants=AccountTenantStore(accounts),
        calls=RedisCallCounter(fast),
        reservations=RedisReservationStore(fast),
        deliveries=deliveries,
        endpoints=Endpoints(AccountEndpointStore(accounts), deliveries, admission),
        durations=RedisCallDurations(records),
        images=images,
        intake=intake,
        catalogue=catalogue,
        admission=admission,
        trajectories=Trajectories(
            store=RedisTrajectoryStore(records),
            feed=EventFeed(fast),
            images=images,
            journal=Journal(images),
            dispatcher=CeleryDispatcher(make_celery(settings.redis_url)),
            max_in_flight=settings.max_in_flight,
        ),
        readiness=lambda: _readiness(fast, images, planner),
    )


async def _readiness(
    fast: redis.asyncio.Redis, images: ImageStore, planner: PlannerClient
) -> Mapping[str, bool]:
    """What is needed to take a request, asked at the same time."""
    checks: dict[str, bool] = dict.fromkeys(("redis", "storage", "planner"), False)

    async def ask_redis() -> None:
        try:
            checks["redis"] = bool(await fast.ping())
        except (RedisError, OSError):
            return

    async def ask_storage() -> None:
        checks["storage"] = await anyio.to_thread.run_sync(images.healthy, abandon_on_cancel=True)

    async def ask_planner() -> None:
        checks["planner"] = await planner.ready()

    with anyio.move_on_after(_READY_TIMEOUT_S):
        async with anyio.create_task_group() as group:
            for ask in (ask_redis, ask_storage, ask_planner):
                group.start_soon(ask)
    return checks
