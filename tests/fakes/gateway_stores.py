"""The gateway's small stores in memory; they do everything right unless their name says so."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.gateway.auth import ApiKey, ended
from services.gateway.idempotency import Reservation
from services.gateway.rate_limit import Quota, Standing
from shared.contracts.events import PublicEvent
from shared.contracts.generation import GeneratorInfo
from shared.contracts.plans import PlanCheck, PlanCheckResult
from shared.contracts.trajectories import Command
from shared.contracts.webhooks import Delivery, DeliveryStatus
from shared.errors import ServiceUnavailableError
from shared.stores.durations import KEPT_CALLS
from shared.stores.events import Gap
from tests.fakes.trajectory_store import InMemoryTrajectoryStore


@dataclass(slots=True)
class InMemoryApiKeyStore:
    keys: dict[str, ApiKey] = field(default_factory=dict)

    async def find(self, digest: str) -> ApiKey | None:
        return self.keys.get(digest)

    async def add(self, key: ApiKey) -> None:
        self.keys[key.digest] = key

    async def all(self) -> Sequence[ApiKey]:
        return sorted(self.keys.values(), key=lambda key: (key.created_at, key.id))

    async def end(self, key_id: str, *, at: datetime) -> ApiKey | None:
        for digest, key in self.keys.items():
            if key.id == key_id:
                self.keys[digest] = ended(key, at)
                return self.keys[digest]
        return None


@dataclass(slots=True)
class InMemoryTenantStore:
    secrets: dict[str, str] = field(default_factory=dict)

    def webhook_secret(self, tenant: str) -> str | None:
        return self.secrets.get(tenant)

    def ensure(self, tenant: str, *, webhook_secret: str) -> str:
        return self.secrets.setdefault(tenant, webhook_secret)


@dataclass(slots=True)
class InMemoryCallCounter:
    """One endless window."""

    counts: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    async def count(self, key_id: str, quota: Quota) -> Standing:
        self.counts[key_id, quota.name] += 1
        return Standing(quota, used=self.counts[key_id, quota.name], resets_in_s=quota.window_s)


@dataclass(slots=True)
class InMemoryCallDurations:
    """Remembers every call."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def record(self, kind: str, seconds: float) -> None:
        self.seconds[kind] = [seconds, *self.seconds[kind]][:KEPT_CALLS]

    def recent(self, kind: str) -> list[float]:
        return list(self.seconds[kind])


@dataclass(slots=True)
class InMemoryReservationStore:
    """Never forgets; ``locks`` may be filled to play a request in flight."""

    reservations: dict[str, Reservation] = field(default_factory=dict)
    locks: set[str] = field(default_factory=set)

    async def reserve(self, name: str, reservation: Reservation) -> Reservation | None:
        if name in self.reservations:
            return self.reservations[name]
        self.reservations[name] = reservation
        return None

    async def lock(self, name: str) -> bool:
        if name in self.locks:
            return False
        self.locks.add(name)
        return True

    async def finish(self, name: str, reservation: Reservation) -> None:
        self.reservations[name] = reservation
        self.locks.discard(name)

    async def abandon(self, name: str) -> None:
        self.reservations.pop(name, None)
        self.locks.discard(name)

    async def unlock(self, name: str) -> None:
        self.locks.discard(name)


@dataclass(slots=True)
class InMemoryDeliveryLog:
    """Only what the gateway asks of a delivery store; nothing is ever sent."""

    deliveries: dict[str, Delivery] = field(default_factory=dict)

    def load(self, delivery_id: str) -> Delivery | None:
        return self.deliveries.get(delivery_id)

    def replay(self, delivery_id: str, *, now: datetime) -> Delivery | None:
        found = self.deliveries.get(delivery_id)
        if found is None:
            return None
        self.deliveries[delivery_id] = found.model_copy(
            update={"status": DeliveryStatus.PENDING, "round": len(found.tries)}
        )
        return self.deliveries[delivery_id]

    def page(
        self, tenant: str, *, limit: int, cursor: str | None, endpoint: str | None = None
    ) -> tuple[list[Delivery], str | None]:
        mine = [d for d in self.deliveries.values() if d.tenant == tenant]
        if endpoint is not None:
            mine = [d for d in mine if d.endpoint == endpoint]
        return sorted(mine, key=lambda d: d.created_at, reverse=True)[:limit], None


@dataclass(slots=True)
class PollingEventFeed:
    """Follows an in-memory store; ``forgotten`` events are no longer there."""

    store: InMemoryTrajectoryStore
    forgotten: int = 0

    async def follow(self, trajectory_id: str, *, after: int) -> AsyncGenerator[PublicEvent | Gap]:
        position = after
        if self.forgotten > after:
            position = self.forgotten
            yield Gap(position)
        while True:
            for event in list(self.store.events[trajectory_id]):
                if event.sequence > position:
                    position = event.sequence
                    yield event
            await asyncio.sleep(0.005)


@dataclass(slots=True)
class RecordingDispatcher:
    sent: list[tuple[str, str]] = field(default_factory=list)

    def send_command(self, trajectory_id: str, command: Command) -> None:
        self.sent.append((trajectory_id, command.id))

    def send_wakeup(self, trajectory_id: str) -> None:
        self.sent.append((trajectory_id, "wakeup"))


@dataclass(slots=True)
class ScriptedPlanner:
    """Answers every check with ``result``; None means it is away."""

    result: PlanCheckResult | None = field(default_factory=lambda: PlanCheckResult(ok=True))
    asked: list[PlanCheck] = field(default_factory=list)

    async def check(self, check: PlanCheck) -> PlanCheckResult:
        self.asked.append(check)
        if self.result is None:
            raise ServiceUnavailableError
        return self.result


@dataclass(slots=True)
class DescribedGenerator:
    """Says what it can do; ``away`` makes it silent."""

    info_given: GeneratorInfo
    away: bool = False
    asked: int = 0

    async def info(self) -> GeneratorInfo:
        self.asked += 1
        if self.away:
            raise ServiceUnavailableError
        return self.info_given
