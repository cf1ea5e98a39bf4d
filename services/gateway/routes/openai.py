"""OpenAI-shaped doors: images, edits, chat with interleaved parts, models."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.gateway.auth import ApiKey
from services.gateway.creation import start
from services.gateway.event_stream import at_most, listen
from services.gateway.openai.schemas import (
    MAX_PICTURES,
    SIZE,
    AssistantMessage,
    ChatAnswer,
    ChatBody,
    ChatChunk,
    Choice,
    ChunkChoice,
    Delta,
    ImagesAnswer,
    ImagesBody,
    ModelCard,
    ModelList,
)
from services.gateway.openai.translation import (
    body_of_chat,
    body_of_images,
    check_result,
    message_parts,
    picture_of,
)
from services.gateway.parts import Parts
from services.gateway.routes.access import Creator, PartsOf, Reader
from services.gateway.routes.openai_errors import OpenAiRoute, error_member
from shared.contracts.problems import FieldProblem
from shared.contracts.trajectories import Status, Trajectory
from shared.errors import InterleaveError, InvalidRequestError
from shared.telemetry.tracing import trace_headers

router = APIRouter(prefix="/v1", tags=["openai"], route_class=OpenAiRoute)
_ANSWERED = "The answer; with `stream` its pieces, then `[DONE]`."
_PIECE_EVENTS = frozenset({"step.finished", "gap"})


@router.get("/models")
async def list_models(parts: PartsOf, _key: Reader) -> ModelList:
    """The generators, as models."""
    return ModelList(data=[ModelCard(id=name) for name in parts.catalogue.names])


@router.post("/images/generations")
async def generate_images(
    body: ImagesBody, request: Request, parts: PartsOf, key: Creator
) -> ImagesAnswer:
    """Draw pictures of a prompt; each is judged, and redrawn if it is refused."""
    return await _pictures(request, parts, key, body=body, images=[])


@router.post("/images/edits")
async def edit_images(
    *,
    request: Request,
    parts: PartsOf,
    key: Creator,
    prompt: Annotated[str, Form(min_length=1, max_length=16_000)],
    image: Annotated[list[UploadFile], File(default_factory=list, description="One or more.")],
    more: Annotated[list[UploadFile], File(default_factory=list, alias="image[]")],
    model: Annotated[str, Form(max_length=100)] = "",
    n: Annotated[int, Form(ge=1, le=MAX_PICTURES)] = 1,
    size: Annotated[str, Form(pattern=SIZE)] = "auto",
    response_format: Annotated[Literal["b64_json", "url"], Form()] = "b64_json",
) -> ImagesAnswer:
    """Edit images by a prompt; each result is judged, and redrawn if it is refused."""
    body = ImagesBody.model_validate(
        {
            "prompt": prompt,
            "model": model or None,
            "n": n,
            "size": size,
            "response_format": response_format,
        }
    )
    files = [*image, *more]
    if not files:
        field = FieldProblem(pointer="/image", detail="Send at least one image.")
        raise InvalidRequestError(field.detail, errors=(field,))
    stored = [await parts.intake.store(key.tenant, await file.read()) for file in files]
    return await _pictures(
        request, parts, key, body=body, images=[f"up_{r.sha256}" for r in stored]
    )


@router.post(
    "/chat/completions",
    response_model=ChatAnswer,
    responses={200: {"content": {"text/event-stream": {}}, "description": _ANSWERED}},
)
async def complete_chat(body: ChatBody, parts: PartsOf, key: Creator) -> Response | ChatAnswer:
    """Answer a conversation with text and pictures in turn, at once or as a stream."""
    trajectory = await _start(parts, key, body)
    if body.stream:
        return EventSourceResponse(_chunks(parts, trajectory), ping=15)
    timeout_s = parts.settings.max_answer_s
    ended = await parts.trajectories.wait(trajectory, timeout_s=timeout_s)
    check_result(ended)
    content = await message_parts(ended, parts.images, skip=0)
    choice = Choice(message=AssistantMessage(content=content), finish_reason=_reason(ended))
    return ChatAnswer(
        id=ended.id, created=_created(ended), model=ended.request.generator, choices=[choice]
    )


async def _start(parts: Parts, key: ApiKey, body: ChatBody) -> Trajectory:
    started = await start(
        parts, key, body_of_chat(body), idempotency_key=None, trace=trace_headers()
    )
    return started.trajectory


async def _pictures(
    request: Request, parts: Parts, key: ApiKey, *, body: ImagesBody, images: list[str]
) -> ImagesAnswer:
    trace = trace_headers()
    begun = [
        await start(
            parts, key, body_of_images(body, images, index=n), idempotency_key=None, trace=trace
        )
        for n in range(body.n)
    ]
    give_up_at = time.monotonic() + parts.settings.max_answer_s
    ended = [
        await parts.trajectories.wait(one.trajectory, timeout_s=give_up_at - time.monotonic())
        for one in begun
    ]
    base_url = str(request.base_url).rstrip("/")
    inside = body.response_format == "b64_json"
    data = [await picture_of(one, parts.images, inside=inside, base_url=base_url) for one in ended]
    created = _created(ended[0])
    return ImagesAnswer(created=created, data=data, trajectories=[one.id for one in ended])


async def _chunks(parts: Parts, trajectory: Trajectory) -> AsyncGenerator[ServerSentEvent, None]:
    yield _chunk(trajectory, Delta(role="assistant"))
    sent = 0
    ended = trajectory
    try:
        heard = listen(parts.trajectories, trajectory, after=trajectory.sequence)
        async for event in at_most(heard, parts.settings.max_answer_s):
            if event.type not in _PIECE_EVENTS and not event.type.startswith("trajectory."):
                continue
            ended = await parts.trajectories.load(trajectory.tenant, trajectory.id)
            found = await message_parts(ended, parts.images, skip=sent)
            sent += len(found)
            if found:
                yield _chunk(ended, Delta(content=found))
        check_result(ended)
        yield _chunk(ended, Delta(), reason=_reason(ended))
    except InterleaveError as error:
        yield ServerSentEvent(data=error_member(error.problem()))
    yield ServerSentEvent(data="[DONE]")


def _chunk(trajectory: Trajectory, delta: Delta, *, reason: str | None = None) -> ServerSentEvent:
    choice = ChunkChoice.model_validate({"delta": delta, "finish_reason": reason})
    chunk = ChatChunk(
        id=trajectory.id,
        created=_created(trajectory),
        model=trajectory.request.generator,
        choices=[choice],
    )
    return ServerSentEvent(data=chunk.model_dump_json(exclude_none=True))


def _reason(trajectory: Trajectory) -> Literal["stop", "length"]:
    return "stop" if trajectory.status is Status.SUCCEEDED else "length"


def _created(trajectory: Trajectory) -> int:
    return int(trajectory.created_at.timestamp())
