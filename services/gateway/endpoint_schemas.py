"""Bodies and answers of the webhook endpoints resource."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StrictBool

from services.gateway.schemas import Body, Whole
from services.gateway.views import View
from shared.contracts.events import EVENT_TYPES
from shared.contracts.trajectories import Status
from shared.contracts.webhooks import EVERY_EVENT, DisabledReason, WebhookEndpoint

_LONGEST_OVERLAP_S = 7 * 24 * 3600
_QUEUED = f"trajectory.{Status.QUEUED}"
SENT_TYPES = (*(each for each in EVENT_TYPES if each != _QUEUED), EVERY_EVENT)
"""What a filter may name: the answer 202 tells of the queue already."""
_HINT_CHARACTERS = 4


def _known_type(name: str) -> str:
    if name not in SENT_TYPES:
        raise ValueError(f"there are: {', '.join(SENT_TYPES)}")
    return name


def _as_text(moment: object) -> object:
    if not isinstance(moment, str | datetime):
        raise ValueError("must be a date and time with its zone")  # noqa: TRY004 - for pydantic
    return moment


Url = Annotated[str, Field(max_length=2048, examples=["https://example.com/hooks/interleave"])]
EventTypes = Annotated[
    tuple[Annotated[str, Field(max_length=64), AfterValidator(_known_type)], ...],
    Field(max_length=32, description="Types to send; empty: every final state; `*`: all."),
]
Description = Annotated[str, Field(max_length=500)]


class EndpointBody(Body):
    """An address that gets signed events of all the caller's trajectories."""

    url: Url
    events: EventTypes = ()
    description: Description = ""


class EndpointChange(Body):
    """What is to be different; what is not given stays."""

    url: Url | None = None
    events: EventTypes | None = None
    description: Description | None = None
    enabled: Annotated[
        StrictBool | None,
        Field(description="True also takes back what an answer 410 switched off."),
    ] = None


class RotateBody(Body):
    """How long the old secret goes on signing beside the new one."""

    overlap_s: Annotated[Whole, Field(ge=0, le=_LONGEST_OVERLAP_S)] = 24 * 3600


class ReplayBody(Body):
    """Which deliveries to send again: those that never arrived, from a moment on."""

    since: Annotated[AwareDatetime, BeforeValidator(_as_text)]


class KeyView(View):
    """A secret without itself: it was shown once."""

    hint: Annotated[str, Field(description="Its last characters.")]
    expires_at: AwareDatetime | None


class EndpointView(View):
    """A webhook endpoint."""

    id: str
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    url: str
    description: str
    events: list[str]
    status: Literal["enabled", "disabled"]
    disabled_at: AwareDatetime | None
    disabled_reason: Annotated[
        DisabledReason | None, Field(description="`gone`: it answered 410; `owner`: by a call.")
    ]
    keys: Annotated[list[KeyView], Field(description="That sign now, the newest first.")]
    created_at: AwareDatetime
    updated_at: AwareDatetime


class EndpointWithSecret(EndpointView):
    """An endpoint with its newest secret, shown only now."""

    secret: Annotated[str, Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])]


class EndpointList(View):
    """All endpoints, oldest first."""

    data: list[EndpointView]


class Replayed(View):
    """How many deliveries will be sent again."""

    deliveries: int


def endpoint_view(endpoint: WebhookEndpoint, *, now: datetime) -> EndpointView:
    """An endpoint as callers see it."""
    alive = [key for key in endpoint.keys if key.expires_at is None or key.expires_at > now]
    return EndpointView(
        id=endpoint.id,
        url=endpoint.url,
        description=endpoint.description,
        events=list(endpoint.events),
        status="enabled" if endpoint.disabled_at is None else "disabled",
        disabled_at=endpoint.disabled_at,
        disabled_reason=endpoint.disabled_reason,
        keys=[
            KeyView(hint=key.secret[-_HINT_CHARACTERS:], expires_at=key.expires_at) for key in alive
        ],
        created_at=endpoint.created_at,
        updated_at=endpoint.updated_at,
    )


def with_secret(endpoint: WebhookEndpoint, *, now: datetime) -> EndpointWithSecret:
    """An endpoint right after its newest secret was made."""
    view = endpoint_view(endpoint, now=now).model_dump()
    return EndpointWithSecret(**view, secret=endpoint.keys[0].secret)
