"""Any server with an OpenAI-compatible images API: ``/images/generations``, ``/images/edits``.

The API itself knows no seed, steps or guidance; many servers take them under names of their
own, which the settings give. What has no name here is refused, except the seed: every call
has one, so a server without seeds just draws differently each time.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from services.generator.pictures import encoded, received
from services.generator.ports import Drawing, DrawRequest, Refusal
from services.generator.settings import GeneratorSettings
from shared.contracts.generation import GeneratorInfo
from shared.errors import (
    BadReplyError,
    InvalidRequestError,
    ServiceRejectedError,
    ServiceTimeoutError,
    ServiceUnavailableError,
)

_REFUSALS = ("content_policy", "moderation", "safety", "content_filter")
_BUSY = 429
_FIRST_SERVER_ERROR = 500


class _Image(BaseModel):
    b64_json: str


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    data: list[_Image]


class OpenAIImagesBackend:
    """A ``GeneratorBackend`` that asks another server, a call per picture."""

    ready = True
    alive = True

    def __init__(
        self, settings: GeneratorSettings, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self.lanes = settings.parallel_calls
        key = settings.api_key.get_secret_value()
        self._http = httpx.AsyncClient(
            base_url=settings.base_url.rstrip("/") + "/",
            headers={"authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(settings.timeout_s, connect=5.0),
            transport=transport,
        )

    @property
    def info(self) -> GeneratorInfo:
        """See ``GeneratorBackend.info``."""
        settings = self._settings
        return GeneratorInfo(
            name=settings.name or settings.model,
            model=settings.model,
            edits=settings.edits,
            max_references=settings.max_references if settings.edits else 0,
            default_width_px=settings.default_width_px,
            default_height_px=settings.default_height_px,
            min_side_px=settings.min_side_px,
            max_side_px=settings.max_side_px,
            side_multiple_px=settings.side_multiple_px,
            default_steps=settings.default_steps,
        )

    async def open(self) -> None:
        """See ``GeneratorBackend.open``."""

    async def close(self) -> None:
        """See ``GeneratorBackend.close``."""
        await self._http.aclose()

    def shape_of(self, request: DrawRequest) -> Hashable:
        """See ``GeneratorBackend.shape_of``; no two calls share a batch."""
        settings = self._settings
        if len(request.references) > self.info.max_references:
            raise InvalidRequestError(
                f"This generator takes at most {self.info.max_references} reference images."
            )
        if request.steps is not None and not settings.steps_field:
            raise InvalidRequestError("This generator takes no number of steps; leave it out.")
        if request.guidance is not None and not settings.guidance_field:
            raise InvalidRequestError("This generator takes no guidance; leave it out.")
        return object()

    async def draw(self, requests: Sequence[DrawRequest]) -> Sequence[Drawing]:
        """See ``GeneratorBackend.draw``; cancelling closes the connections."""
        return await asyncio.gather(*(self._draw_one(request) for request in requests))

    async def _draw_one(self, request: DrawRequest) -> Drawing:
        try:
            response = await self._send(request)
        except httpx.ConnectTimeout as error:
            raise ServiceUnavailableError("The image server cannot be reached.") from error
        except httpx.TimeoutException as error:
            raise ServiceTimeoutError("The image server did not answer in time.") from error
        except httpx.HTTPError as error:
            raise ServiceUnavailableError("The image server cannot be reached.") from error
        if response.status_code != 200:  # noqa: PLR2004 - the one good status of this API
            return _refusal(response)
        return _picture(response, request)

    async def _send(self, request: DrawRequest) -> httpx.Response:
        fields = self._fields(request)
        if not request.references:
            return await self._http.post("images/generations", json=fields)
        name = "image" if len(request.references) == 1 else "image[]"
        files = [
            (name, (f"{number}.png", encoded(image), "image/png"))
            for number, image in enumerate(request.references)
        ]
        texts = {key: str(value) for key, value in fields.items()}
        return await self._http.post("images/edits", data=texts, files=files)

    def _fields(self, request: DrawRequest) -> dict[str, Any]:
        settings = self._settings
        fields: dict[str, Any] = {
            "model": settings.model,
            "prompt": request.prompt,
            "n": 1,
            "size": f"{request.width_px}x{request.height_px}",
        }
        optional = {
            "response_format": settings.response_format or None,
            settings.seed_field: request.seed,
            settings.steps_field: request.steps,
            settings.guidance_field: request.guidance,
        }
        return fields | {key: value for key, value in optional.items() if key and value is not None}


def _refusal(response: httpx.Response) -> Refusal:
    """The server's refusal to draw; every other failure is raised."""
    error = _error_of(response)
    detail = f"The image server answered {response.status_code}: {error.get('message', '')}"[:500]
    if response.status_code == _BUSY or response.status_code >= _FIRST_SERVER_ERROR:
        raise ServiceUnavailableError(detail)
    code = str(error.get("code") or error.get("type") or "")
    if any(word in code for word in _REFUSALS):
        return Refusal("picture_refused", detail)
    raise ServiceRejectedError(detail)


def _error_of(response: httpx.Response) -> Mapping[str, Any]:
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {"message": str(error)}


def _picture(response: httpx.Response, request: DrawRequest) -> Drawing:
    try:
        answer = _Answer.model_validate_json(response.content)
        image = received(base64.b64decode(answer.data[0].b64_json, validate=True))
    except (ValidationError, IndexError, binascii.Error) as error:
        raise BadReplyError("The image server's answer holds no b64_json image.") from error
    if image.size != (request.width_px, request.height_px):
        raise InvalidRequestError(
            f"This generator drew {image.width} x {image.height}: ask for that size."
        )
    return image
