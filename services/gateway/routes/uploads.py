"""Images in: ``multipart/form-data`` with a field ``file``, or the bytes as the body."""

from __future__ import annotations

from fastapi import APIRouter, Request, status
from starlette.datastructures import UploadFile

from services.gateway.presenter import image_view
from services.gateway.routes.access import KeyedRoute, PartsOf, Writer
from services.gateway.views import ImageView
from shared.contracts.problems import FieldProblem
from shared.errors import InvalidRequestError, TooLargeError

router = APIRouter(prefix="/v1", tags=["images"], route_class=KeyedRoute)
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "image/png": _BINARY,
            "image/jpeg": _BINARY,
            "image/webp": _BINARY,
        },
    }
}


@router.post("/uploads", status_code=status.HTTP_201_CREATED, openapi_extra=_BODY)
async def upload_image(request: Request, parts: PartsOf, key: Writer) -> ImageView:
    """Store a PNG, JPEG or WebP; its `id` can then stand in `images` of a request."""
    data = await _bytes_of(request, limit=parts.settings.max_image_bytes)
    return image_view(await parts.intake.store(key.tenant, data))


async def _bytes_of(request: Request, limit: int) -> bytes:
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _multipart_file(request, limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


async def _multipart_file(request: Request, limit: int) -> bytes:
    async with request.form(max_files=1, max_fields=4) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            detail = "Send the image in the field `file`."
            field = FieldProblem(pointer="/file", detail=detail)
            raise InvalidRequestError(detail, errors=(field,))
        if file.size is not None and file.size > limit:
            raise _too_large(limit)
        return await file.read()


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"An image may hold at most {limit} bytes.")
