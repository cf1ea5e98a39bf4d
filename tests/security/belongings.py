"""One of everything that a tenant can own, made in the real stores through the real gateway."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import UTC, datetime

import redis
from PIL import Image

from shared.contracts.events import PublicEvent
from shared.contracts.images import ImageRef
from shared.contracts.plans import PlanStep
from shared.contracts.trajectories import Attempt, Status, StepState, StepStatus, Trajectory
from shared.contracts.verdicts import Verdict
from shared.contracts.webhooks import Delivery, DeliveryStatus
from shared.stores.keys import file_id_of_key, picture_key
from shared.stores.redis_trajectories import RedisTrajectoryStore
from shared.stores.s3_images import S3ImageStore
from tests.security.gateway import Gateway

IDEMPOTENCY_KEY = "the-same-for-everybody"
PROMPT = "only the owner may read this"


@dataclass(frozen=True, slots=True)
class Belongings:
    """Real ids, all of one tenant."""

    tenant: str
    key: str
    trajectory_id: str
    upload_id: str
    picture_id: str
    endpoint_id: str
    delivery_id: str
    cursor: str
    delivery_cursor: str


def picture(whose: str) -> bytes:
    """A PNG that the gateway accepts, another one for each tenant: an upload's id is its hash."""
    red, green, blue = hashlib.sha256(whose.encode()).digest()[:3]
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (red, green, blue)).save(buffer, format="PNG")
    return buffer.getvalue()


def belongings_of(gateway: Gateway, tenant: str) -> Belongings:
    """Two finished trajectories with pictures and deliveries, an upload and an endpoint."""
    key = gateway.key(tenant)
    with gateway.client(key) as client:
        upload = client.post("/v1/uploads", content=picture(tenant)).json()["id"]
        headers = {"Idempotency-Key": IDEMPOTENCY_KEY}
        body = {"prompt": PROMPT}
        made = client.post("/v1/trajectories", json=body, headers=headers).json()["id"]
        older = client.post("/v1/trajectories", json=body).json()["id"]
        hook = {"url": "https://hooks.example.com/a"}
        endpoint = client.post("/v1/webhook-endpoints", json=hook).json()["id"]
        finish(gateway, older, delivery_id=f"msg_{tenant}_0", endpoint=endpoint)
        finish(gateway, made, delivery_id=f"msg_{tenant}_1")
        cursor = client.get("/v1/trajectories?limit=1").json()["next_cursor"]
        deliveries = client.get("/v1/webhooks/deliveries?limit=1").json()["next_cursor"]
    return Belongings(
        tenant=tenant,
        key=key,
        trajectory_id=made,
        upload_id=upload,
        picture_id=f"pic_{made.removeprefix('trj_')}_0_1",
        endpoint_id=endpoint,
        delivery_id=f"msg_{tenant}_1",
        cursor=cursor,
        delivery_cursor=deliveries,
    )


def finish(
    gateway: Gateway, trajectory_id: str, *, delivery_id: str, endpoint: str | None = None
) -> None:
    """Play the orchestrator: one step, one picture in the bucket, one delivery that failed."""
    with redis.Redis.from_url(gateway.settings.redis_url) as connection:
        store = RedisTrajectoryStore(connection)
        record = store.load(trajectory_id)
        assert record is not None
        ended = _ended(record, _picture(gateway, record))
        event = PublicEvent(
            sequence=ended.sequence,
            type="trajectory.succeeded",
            trajectory_id=trajectory_id,
            at=datetime.now(UTC),
        )
        delivery = Delivery(
            id=delivery_id,
            tenant=record.tenant,
            trajectory_id=trajectory_id,
            sequence=event.sequence,
            event=event.type,
            url="https://hooks.example.com/a",
            endpoint=endpoint,
            body="{}",
            created_at=event.at,
            status=DeliveryStatus.FAILED,
        )
        store.save(ended, expected_version=record.version, events=[event], webhooks=[delivery])


def _picture(gateway: Gateway, record: Trajectory) -> ImageRef:
    key = picture_key(record.tenant, record.id, step=0, attempt=1)
    assert file_id_of_key(key).startswith("pic_")
    return S3ImageStore(gateway.settings.storage).put(
        key, picture(record.id), width_px=64, height_px=64
    )


def _ended(record: Trajectory, image: ImageRef) -> Trajectory:
    attempt = Attempt(
        number=1,
        prompt="draw a seed",
        seed=1,
        image=image,
        verdict=Verdict(success=True, refine_prompt="", reasoning="good"),
        model="sketchbook",
    )
    plan = PlanStep(step_number=1, step_name="One", instruction="A seed", prompt="draw a seed")
    step = StepState(plan=plan, status=StepStatus.ACCEPTED, attempts=(attempt,), chosen=1)
    changes: dict[str, object] = {
        "status": Status.SUCCEEDED,
        "steps": (step,),
        "plan_complete": True,
        "pending": (),
        "finished_at": datetime.now(UTC),
        "sequence": record.sequence + 1,
    }
    return record.model_copy(update=changes)
