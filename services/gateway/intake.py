"""Brings callers' images into the store: from bytes, data URLs, https URLs and file ids."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

import anyio

from services.gateway.fetcher import ImageFetcher
from services.gateway.pictures import AdmittedPicture, PictureLimits, admit_picture
from shared.contracts.images import ImageRef
from shared.contracts.problems import FieldProblem
from shared.errors import InterleaveError, InvalidRequestError, RequestError
from shared.stores.images import ImageStore
from shared.stores.keys import key_of_file, upload_key

_DATA_URL = re.compile(r"^data:image/[a-z+.-]{1,32};base64,", re.IGNORECASE)
_CONCURRENT_FETCHES = 4
_CONCURRENT_DECODES = 2
"""A decoded picture takes up to 160 MB: this bounds memory, not only CPU."""


class ImageIntake:
    """Admits images for a tenant and stores them under their own hash."""

    def __init__(self, images: ImageStore, fetcher: ImageFetcher, limits: PictureLimits) -> None:
        self._images = images
        self._fetcher = fetcher
        self._limits = limits
        self._decodes = anyio.CapacityLimiter(_CONCURRENT_DECODES)
        self._fetches = anyio.CapacityLimiter(_CONCURRENT_FETCHES)

    async def store(self, tenant: str, data: bytes) -> ImageRef:
        """Admit raw bytes; the same picture twice is one object."""
        picture = await anyio.to_thread.run_sync(
            admit_picture, data, self._limits, limiter=self._decodes
        )
        return await anyio.to_thread.run_sync(self._put, tenant, picture)

    async def resolve_all(self, tenant: str, sources: list[str]) -> tuple[ImageRef, ...]:
        """The stored images that a request's ``images`` mean, in order.

        Raises:
            RequestError: with a JSON pointer to the entry at fault.
        """
        results: list[ImageRef | None] = [None] * len(sources)
        problems: list[InterleaveError | None] = [None] * len(sources)

        async def resolve_one(index: int) -> None:
            try:
                results[index] = await self._resolve(tenant, sources[index])
            except InterleaveError as error:
                problems[index] = error

        async with anyio.create_task_group() as group:
            for index in range(len(sources)):
                group.start_soon(resolve_one, index)
        for index, problem in enumerate(problems):
            if isinstance(problem, RequestError):
                field = FieldProblem(pointer=f"/images/{index}", detail=problem.detail)
                raise type(problem)(problem.detail, errors=(field,))
            if problem is not None:
                raise problem
        return tuple(ref for ref in results if ref is not None)

    async def _resolve(self, tenant: str, source: str) -> ImageRef:
        if source[:5].lower() == "data:":
            return await self.store(tenant, _decode_data_url(source))
        if "://" in source:
            async with self._fetches:
                data = await self._fetcher.fetch(source)
            return await self.store(tenant, data)
        return await self._existing(tenant, source)

    async def _existing(self, tenant: str, file_id: str) -> ImageRef:
        key = key_of_file(tenant, file_id)
        found = None if key is None else await anyio.to_thread.run_sync(self._images.stat, key)
        if found is None:
            message = "Neither a known file id, nor a data URL, nor an https URL."
            raise InvalidRequestError(message)
        return found

    def _put(self, tenant: str, picture: AdmittedPicture) -> ImageRef:
        key = upload_key(tenant, hashlib.sha256(picture.png).hexdigest())
        return self._images.stat(key) or self._images.put(
            key, picture.png, width_px=picture.width_px, height_px=picture.height_px
        )


def _decode_data_url(source: str) -> bytes:
    match = _DATA_URL.match(source)
    if match is None:
        raise InvalidRequestError("The data URL must start with `data:image/...;base64,`.")
    try:
        return base64.b64decode(source[match.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError("The data URL is not valid base64.") from error
