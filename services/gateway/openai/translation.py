"""Between those shapes and ours: a conversation becomes a request, an output becomes parts."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import anyio

from services.gateway.openai.schemas import (
    ChatBody,
    ImagePart,
    ImagesBody,
    ImageUrl,
    Message,
    MessagePart,
    PictureData,
    TextPart,
)
from services.gateway.presenter import image_view
from services.gateway.schemas import TrajectoryBody
from shared.contracts.images import ImageRef
from shared.contracts.trajectories import Status, StepStatus, Trajectory
from shared.errors import InterleaveError, ServiceTimeoutError
from shared.prompts.rendering import IMAGE_MARK
from shared.stores.images import ImageStore

_SHOWN = frozenset({Status.SUCCEEDED, Status.PARTIALLY_SUCCEEDED})


class TrajectoryFailedError(InterleaveError):
    """The trajectory behind the call ended without anything to show."""

    code = "trajectory_failed"
    title = "No result could be made"
    status = 502


def body_of_images(body: ImagesBody, images: list[str], *, index: int) -> TrajectoryBody:
    """The request for picture ``index`` (from 0) of a call for one or more pictures."""
    width, height = _sides(body.size)
    return TrajectoryBody(
        prompt=body.prompt,
        images=images,
        generator=body.model,
        steps=1,
        width=width,
        height=height,
        seed=None if body.seed is None else (body.seed + index) % 2**63,
        metadata={} if body.user is None else {"user": body.user},
    )


def body_of_chat(body: ChatBody) -> TrajectoryBody:
    """The request a conversation stands for: all that was said, images where they stood."""
    images: list[str] = []
    texts = [_text(message, images) for message in body.messages]
    return TrajectoryBody(
        prompt="\n".join(texts),
        images=images,
        generator=body.model,
        seed=body.seed,
        metadata={} if body.user is None else {"user": body.user},
    )


async def picture_of(
    trajectory: Trajectory, images: ImageStore, *, inside: bool, base_url: str
) -> PictureData:
    """The last picture of an ended trajectory.

    Args:
        trajectory: ended.
        images: where its pictures are.
        inside: give the bytes; otherwise an address under ``base_url``.
        base_url: of this service, as the caller sees it.
    """
    check_result(trajectory)
    step = next((s for s in reversed(trajectory.steps) if s.image is not None), None)
    if step is None or step.image is None:
        raise TrajectoryFailedError("The plan for this prompt has no picture.")
    attempt = next(a for a in step.attempts if a.number == step.chosen)
    if not inside:
        url = base_url + image_view(step.image).url
        return PictureData(url=url, revised_prompt=attempt.prompt)
    data = await anyio.to_thread.run_sync(images.get, step.image)
    return PictureData(b64_json=base64.b64encode(data).decode(), revised_prompt=attempt.prompt)


async def message_parts(
    trajectory: Trajectory, images: ImageStore, *, skip: int
) -> list[MessagePart]:
    """The parts of finished steps in reading order, without the first ``skip``."""
    found = _finished_parts(trajectory)[skip:]
    return [await _message_part(part, images) for part in found]


def check_result(trajectory: Trajectory) -> None:
    """Raise unless there is a result to show.

    Raises:
        ServiceTimeoutError: it has not ended yet.
        TrajectoryFailedError: it ended without a result.
    """
    if not trajectory.status.final:
        raise ServiceTimeoutError(f"Still running: GET /v1/trajectories/{trajectory.id}.")
    if trajectory.status not in _SHOWN:
        detail = trajectory.problem.detail if trajectory.problem else trajectory.status.value
        raise TrajectoryFailedError(detail)


def _sides(size: str) -> tuple[int | None, int | None]:
    if size == "auto":
        return None, None
    width, height = size.split("x")
    return int(width), int(height)


def _text(message: Message, images: list[str]) -> str:
    if isinstance(message.content, str):
        return message.content
    pieces: list[str] = []
    for part in message.content:
        if isinstance(part, TextPart):
            pieces.append(part.text)
        else:
            images.append(part.image_url.url)
            pieces.append(IMAGE_MARK)
    return " ".join(pieces)


def _finished_parts(trajectory: Trajectory) -> Sequence[str | ImageRef]:
    """Texts and pictures of the steps that are finished, up to the first that is not."""
    parts: list[str | ImageRef] = []
    for step in trajectory.steps:
        ended = step.status.done or step.status is StepStatus.FAILED
        if not ended and not trajectory.status.final:
            break
        parts += [step.plan.text] if step.plan.text else []
        parts += [step.image] if step.image is not None else []
    return parts


async def _message_part(part: str | ImageRef, images: ImageStore) -> MessagePart:
    if isinstance(part, str):
        return TextPart(text=part)
    data = await anyio.to_thread.run_sync(images.get, part)
    encoded = base64.b64encode(data).decode()
    return ImagePart(image_url=ImageUrl(url=f"data:{part.media_type};base64,{encoded}"))
