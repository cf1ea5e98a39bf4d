"""Everything a request handler may reach, put together once by ``app``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from services.gateway.admission import Admission
from services.gateway.auth import ApiKeyStore
from services.gateway.catalogue import GeneratorCatalogue
from services.gateway.delivery_log import DeliveryLog
from services.gateway.endpoints import Endpoints
from services.gateway.idempotency import ReservationStore
from services.gateway.intake import ImageIntake
from services.gateway.rate_limit import CallCounter, OpenCalls
from services.gateway.service import Trajectories
from services.gateway.settings import GatewaySettings
from shared.stores.durations import CallDurations
from shared.stores.images import ImageStore
from shared.stores.tenants import TenantStore


@dataclass(frozen=True, slots=True)
class Parts:
    """The gateway's objects for as long as the app lives."""

    settings: GatewaySettings
    keys: ApiKeyStore
    tenants: TenantStore
    calls: CallCounter
    reservations: ReservationStore
    deliveries: DeliveryLog
    endpoints: Endpoints
    durations: CallDurations
    images: ImageStore
    intake: ImageIntake
    catalogue: GeneratorCatalogue
    admission: Admission
    trajectories: Trajectories
    readiness: Callable[[], Awaitable[Mapping[str, bool]]]
    open_calls: OpenCalls = field(default_factory=OpenCalls)
