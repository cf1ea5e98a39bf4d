"""A gateway on in-memory parts, and a client that calls it without a socket."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
from PIL import Image

from services.gateway import auth
from services.gateway.admission import Admission
from services.gateway.app import build_app
from services.gateway.catalogue import GeneratorCatalogue
from services.gateway.endpoints import Endpoints
from services.gateway.fetcher import ImageFetcher
from services.gateway.intake import ImageIntake
from services.gateway.parts import Parts
from services.gateway.pictures import PictureLimits
from services.gateway.service import Trajectories
from services.gateway.settings import GatewaySettings
from shared.contracts.events import PublicEvent
from shared.contracts.generation import GeneratorInfo
from shared.contracts.images import ImageRef
from shared.contracts.plans import PlanStep
from shared.contracts.trajectories import Attempt, Status, StepState, StepStatus, Trajectory
from shared.contracts.verdicts import Verdict
from shared.stores.journal import Journal
from shared.stores.keys import picture_key
from tests.fakes.endpoints import InMemoryEndpointStore
from tests.fakes.gateway_stores import (
    DescribedGenerator,
    InMemoryApiKeyStore,
    InMemoryCallCounter,
    InMemoryCallDurations,
    InMemoryDeliveryLog,
    InMemoryReservationStore,
    InMemoryTenantStore,
    PollingEventFeed,
    RecordingDispatcher,
    ScriptedPlanner,
)
from tests.fakes.image_store import MemoryImageStore
from tests.fakes.trajectory_store import InMemoryTrajectoryStore

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PUBLIC_ADDRESS = "93.184.215.14"
SKETCHBOOK = GeneratorInfo(
    name="sketchbook",
    model="sketchbook",
    max_references=1,
    default_width_px=64,
    default_height_px=64,
    min_side_px=64,
    max_side_px=64,
    side_multiple_px=16,
    default_steps=4,
)
LARGE = SKETCHBOOK.model_copy(
    update={
        "name": "large",
        "default_width_px": 1024,
        "default_height_px": 1024,
        "min_side_px": 256,
        "max_side_px": 2048,
        "max_references": 4,
    }
)


def png(width: int = 32, height: int = 32, color: str = "red") -> bytes:
    """A plain PNG."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), color).save(buffer, format="PNG")
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Page:
    """What a web server answers."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class World:
    """Everything behind one gateway under test."""

    settings: GatewaySettings = field(default_factory=GatewaySettings)
    store: InMemoryTrajectoryStore = field(default_factory=InMemoryTrajectoryStore)
    images: MemoryImageStore = field(default_factory=MemoryImageStore)
    keys: InMemoryApiKeyStore = field(default_factory=InMemoryApiKeyStore)
    tenants: InMemoryTenantStore = field(default_factory=InMemoryTenantStore)
    reservations: InMemoryReservationStore = field(default_factory=InMemoryReservationStore)
    deliveries: InMemoryDeliveryLog = field(default_factory=InMemoryDeliveryLog)
    endpoints: InMemoryEndpointStore = field(default_factory=InMemoryEndpointStore)
    durations: InMemoryCallDurations = field(default_factory=InMemoryCallDurations)
    dispatcher: RecordingDispatcher = field(default_factory=RecordingDispatcher)
    planner: ScriptedPlanner = field(default_factory=ScriptedPlanner)
    generators: dict[str, DescribedGenerator] = field(
        default_factory=lambda: {
            "sketchbook": DescribedGenerator(SKETCHBOOK),
            "large": DescribedGenerator(LARGE),
        }
    )
    addresses: dict[str, list[str]] = field(default_factory=dict)
    web: dict[str, Page] = field(default_factory=dict)
    visited: list[httpx.Request] = field(default_factory=list)
    feed: PollingEventFeed = field(init=False)

    def __post_init__(self) -> None:
        self.feed = PollingEventFeed(self.store)

    def resolve(self, host: str, _port: int) -> list[str]:
        return self.addresses.get(host, [PUBLIC_ADDRESS])

    def visit(self, request: httpx.Request) -> httpx.Response:
        self.visited.append(request)
        page = self.web.get(request.headers["host"] + request.url.path, Page(status=404))
        stream = httpx.ByteStream(page.body)
        return httpx.Response(page.status, headers=page.headers, stream=stream)

    async def key(
        self, tenant: str = "ten_a", *, scopes: tuple[auth.Scope, ...] = auth.ALL_SCOPES
    ) -> str:
        secret, _ = await auth.create_key(self.keys, tenant=tenant, now=NOW, scopes=scopes)
        return secret

    @asynccontextmanager
    async def open_parts(self, settings: GatewaySettings) -> AsyncGenerator[Parts]:
        fetcher = ImageFetcher(
            policy=settings.url_policy,
            max_bytes=settings.max_image_bytes,
            timeout_s=settings.fetch_timeout_s,
            transport=httpx.MockTransport(self.visit),
            resolver=self.resolve,
        )
        limits = PictureLimits(settings.max_image_bytes, settings.max_image_pixels)
        intake = ImageIntake(self.images, fetcher, limits)
        catalogue = GeneratorCatalogue(self.generators, default="sketchbook")
        admission = Admission(
            catalogue=catalogue,
            intake=intake,
            planner=self.planner,
            url_policy=settings.url_policy,
            max_images=settings.max_images,
            resolver=self.resolve,
            new_seed=lambda: 4711,
        )
        yield Parts(
            settings=settings,
            keys=self.keys,
            tenants=self.tenants,
            calls=InMemoryCallCounter(),
            reservations=self.reservations,
            deliveries=self.deliveries,
            endpoints=Endpoints(self.endpoints, self.deliveries, admission),
            durations=self.durations,
            images=self.images,
            intake=intake,
            catalogue=catalogue,
            admission=admission,
            trajectories=Trajectories(
                store=self.store,
                feed=self.feed,
                images=self.images,
                journal=Journal(self.images),
                dispatcher=self.dispatcher,
                max_in_flight=settings.max_in_flight,
            ),
            readiness=self._ready,
        )
        await fetcher.close()

    async def _ready(self) -> Mapping[str, bool]:
        return {"redis": True}

    @asynccontextmanager
    async def client(self, secret: str | None = None) -> AsyncGenerator[httpx.AsyncClient]:
        """A client with the key ``secret``, or a fresh one of tenant ``ten_a``."""
        app = build_app(self.settings, self.open_parts)
        headers = {"Authorization": f"Bearer {secret or await self.key()}"}
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=transport, base_url="http://gateway", headers=headers
            ) as client,
        ):
            yield client

    def save(self, trajectory: Trajectory, *kinds: str, **changes: object) -> Trajectory:
        """Save a next version with an event of each kind."""
        sequence = trajectory.sequence
        events = [
            PublicEvent(sequence=sequence + n, type=kind, trajectory_id=trajectory.id, at=NOW)
            for n, kind in enumerate(kinds, start=1)
        ]
        changed = trajectory.model_copy(
            update={"sequence": sequence + len(events), "updated_at": NOW, **changes}
        )
        return self.store.save(changed, expected_version=trajectory.version, events=events)

    def finish(self, trajectory_id: str, *, steps: int = 2) -> Trajectory:
        """Play the orchestrator: every step needs two attempts, the second one is accepted."""
        trajectory = self.store.load(trajectory_id)
        assert trajectory is not None
        states = tuple(self._step(trajectory, index) for index in range(steps))
        return self.save(
            trajectory,
            "trajectory.running",
            "trajectory.succeeded",
            status=Status.SUCCEEDED,
            steps=states,
            plan_complete=True,
            pending=(),
            finished_at=NOW,
        )

    def _step(self, trajectory: Trajectory, index: int) -> StepState:
        attempts = tuple(
            Attempt(
                number=number,
                prompt=f"draw {index} <b>bold</b>",
                seed=index * 10 + number,
                image=self._picture(trajectory, index, number),
                verdict=Verdict(
                    success=number == 2, refine_prompt="draw it again", reasoning="The sun is low."
                ),
                model="sketchbook",
            )
            for number in (1, 2)
        )
        plan = PlanStep(
            step_number=index + 1,
            step_name=f"Part {index + 1}",
            instruction="A *seed* in the <earth>",
            prompt="draw a seed",
        )
        return StepState(plan=plan, status=StepStatus.ACCEPTED, attempts=attempts, chosen=2)

    def _picture(self, trajectory: Trajectory, index: int, number: int) -> ImageRef:
        key = picture_key(trajectory.tenant, trajectory.id, step=index, attempt=number)
        color = ["red", "green", "blue", "yellow"][(2 * index + number) % 4]
        return self.images.put(key, png(64, 64, color), width_px=64, height_px=64)
