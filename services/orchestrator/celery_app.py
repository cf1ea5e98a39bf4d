"""Builds a worker or a reaper: the one place where settings become objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import httpx
import redis
import structlog
from kombu.exceptions import OperationalError

from services.orchestrator.cells import Cells
from services.orchestrator.committing import Committer
from services.orchestrator.heartbeat import Heartbeat
from services.orchestrator.lanes import Lanes
from services.orchestrator.overlooking import Lookout
from services.orchestrator.ports import Engines
from services.orchestrator.reaper import LogLimits, Reaper
from services.orchestrator.sending import Sender
from services.orchestrator.settings import OrchestratorSettings
from services.orchestrator.snapshots import BackgroundSnapshots
from services.orchestrator.webhooks import Deliverer
from services.orchestrator.workflow import Workflow
from shared.clients.critic import CriticClient
from shared.clients.generator import GeneratorClient
from shared.clients.planner import PlannerClient
from shared.contracts.trajectories import Command
from shared.queue import make_celery, send_command, send_delivery
from shared.stores.accounts import AccountRecords
from shared.stores.deliveries import RedisDeliveryStore
from shared.stores.durations import RedisCallDurations
from shared.stores.endpoints import AccountEndpointStore
from shared.stores.journal import Journal
from shared.stores.leases import RedisLeases
from shared.stores.overview import RedisOverview
from shared.stores.redis_trajectories import RedisTrajectoryStore
from shared.stores.s3_images import S3ImageStore
from shared.stores.tenants import AccountTenantStore

if TYPE_CHECKING:
    from celery import Celery

_log = structlog.get_logger(__name__)
_REDIS_TIMEOUT_S = 5.0


def utc_now() -> datetime:
    """The present time."""
    return datetime.now(UTC)


class CeleryDispatcher:
    """A ``Dispatcher``: what cannot be sent now is left to the reaper."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def send_commands(self, trajectory_id: str, commands: Sequence[Command]) -> None:
        """See ``Dispatcher.send_commands``."""
        try:
            for command in commands:
                send_command(self._app, trajectory_id, command)
        except (OperationalError, OSError):
            _log.warning("command_not_sent", trajectory_id=trajectory_id)

    def send_deliveries(self, delivery_ids: Sequence[str]) -> None:
        """See ``Dispatcher.send_deliveries``."""
        try:
            for delivery_id in delivery_ids:
                send_delivery(self._app, delivery_id)
        except (OperationalError, OSError):
            _log.warning("delivery_not_sent", deliveries=len(delivery_ids))


@dataclass(frozen=True)
class Parts:
    """Everything a process of the orchestrator is made of, built when first asked for."""

    settings: OrchestratorSettings

    @cached_property
    def celery(self) -> Celery:
        """Sends and receives messages."""
        return make_celery(self.settings.redis_url)

    @cached_property
    def workflow(self) -> Workflow:
        """What a worker does with commands."""
        return Workflow(
            self._leases,
            committer=self._committer,
            heartbeat=self.heartbeat,
            engines=self._engines,
            durations=RedisCallDurations(self._redis),
            patience=self.settings.patience,
            lease_s=self.settings.lease_s,
            max_executions=self.settings.max_executions,
            cells=self.cells,
            max_cells=self.settings.cells,
        )

    @cached_property
    def cells(self) -> Cells:
        """Where suspects are carried out."""
        return Cells(spare=self.settings.cells)

    @cached_property
    def lanes(self) -> Lanes:
        """How a worker's threads are shared out."""
        return Lanes(self.settings.concurrency)

    @cached_property
    def deliverer(self) -> Deliverer:
        """What a worker does with webhooks."""
        client = httpx.Client(
            timeout=self.settings.webhook_timeout_s, follow_redirects=False, trust_env=False
        )
        return Deliverer(
            self._deliveries,
            Sender(client, policy=self.settings.url_policy),
            secrets=AccountTenantStore(self._accounts),
            endpoints=self._endpoints,
            clock=utc_now,
            busy_s=2 * self.settings.webhook_timeout_s,
        )

    @cached_property
    def reaper(self) -> Reaper:
        """What the reaper does."""
        return Reaper(
            self._store,
            self._leases,
            deliveries=self._deliveries,
            journal=self._journal,
            accounts=self._accounts,
            endpoints=self._endpoints,
            committer=self._committer,
            dispatcher=self._dispatcher,
            clock=utc_now,
            resend_after_s=self.settings.resend_after_s,
            log_limits=LogLimits(self.settings.webhook_log_days, self.settings.webhook_log_max),
            overview=self._lookout.look,
        )

    @cached_property
    def heartbeat(self) -> Heartbeat:
        """Keeps leases alive and stops calls."""
        return Heartbeat(
            self._store,
            self._leases,
            look_again=self._committer.commit,
            clock=utc_now,
            ttl_s=self.settings.lease_s,
            poll_s=self.settings.poll_s,
        )

    @cached_property
    def snapshots(self) -> BackgroundSnapshots:
        """Writes the journal."""
        return BackgroundSnapshots(self._journal, self._store)

    @cached_property
    def _redis(self) -> redis.Redis:
        return redis.Redis.from_url(
            self.settings.redis_url,
            socket_timeout=_REDIS_TIMEOUT_S,
            socket_connect_timeout=_REDIS_TIMEOUT_S,
            max_connections=self.settings.threads + 16,
        )

    @cached_property
    def _store(self) -> RedisTrajectoryStore:
        return RedisTrajectoryStore(self._redis)

    @cached_property
    def _leases(self) -> RedisLeases:
        return RedisLeases(self._redis)

    @cached_property
    def _deliveries(self) -> RedisDeliveryStore:
        return RedisDeliveryStore(self._redis)

    @cached_property
    def _objects(self) -> S3ImageStore:
        return S3ImageStore(self.settings.storage)

    @cached_property
    def _accounts(self) -> AccountRecords:
        return AccountRecords(self._redis, self._objects)

    @cached_property
    def _endpoints(self) -> AccountEndpointStore:
        return AccountEndpointStore(self._accounts)

    @cached_property
    def _journal(self) -> Journal:
        return Journal(self._objects)

    @cached_property
    def _lookout(self) -> Lookout:
        return Lookout(
            self._store,
            self._leases,
            overview=RedisOverview(self._redis),
            clock=utc_now,
            max_in_flight=self.settings.max_in_flight,
        )

    @cached_property
    def _dispatcher(self) -> CeleryDispatcher:
        return CeleryDispatcher(self.celery)

    @cached_property
    def _committer(self) -> Committer:
        return Committer(
            self._store,
            self._dispatcher,
            snapshots=self.snapshots,
            clock=utc_now,
            endpoints=self._endpoints,
            max_in_flight=self.settings.max_in_flight,
        )

    @cached_property
    def _engines(self) -> Engines:
        timeouts = self.settings.timeouts
        return Engines(
            planner=PlannerClient(self.settings.planner_url, timeouts=timeouts),
            critic=CriticClient(self.settings.critic_url, timeouts=timeouts),
            generators={
                name: GeneratorClient(url, timeouts=timeouts)
                for name, url in self.settings.generators.items()
            },
        )
