"""Images out: streamed, or by a short presigned link where clients can reach the bucket."""

from __future__ import annotations

from typing import Annotated

import anyio
from fastapi import APIRouter, Header
from fastapi.responses import RedirectResponse, Response

from services.gateway.routes.access import KeyedRoute, PartsOf, Reader
from services.gateway.routes.identifiers import FileId
from shared.contracts.images import ImageRef
from shared.errors import NotFoundError
from shared.stores.keys import key_of_file

router = APIRouter(prefix="/v1", tags=["images"], route_class=KeyedRoute)
_LINK_TTL_S = 60
_IMMUTABLE = "private, max-age=31536000, immutable"


@router.get(
    "/files/{file_id:id}",
    response_class=Response,
    responses={
        200: {"content": {"image/png": {}}, "description": "The image."},
        304: {"description": "Not changed."},
        307: {"description": "A link that works for a minute."},
    },
)
async def get_file(
    file_id: FileId,
    parts: PartsOf,
    key: Reader,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """An uploaded image or an attempt's picture, as PNG."""
    object_key = key_of_file(key.tenant, file_id)
    ref = object_key and await anyio.to_thread.run_sync(parts.images.stat, object_key)
    if not isinstance(ref, ImageRef):
        raise NotFoundError("There is no such file.")
    headers = {"ETag": f'"{ref.sha256}"', "Cache-Control": _IMMUTABLE}
    if if_none_match is not None and ref.sha256 in if_none_match:
        return Response(status_code=304, headers=headers)
    if parts.settings.storage.public_endpoint:
        return await _redirect(parts, ref)
    data = await anyio.to_thread.run_sync(parts.images.get, ref)
    headers |= {"Content-Disposition": f'inline; filename="{file_id}.png"'}
    return Response(data, media_type=ref.media_type, headers=headers)


async def _redirect(parts: PartsOf, ref: ImageRef) -> Response:
    url = await anyio.to_thread.run_sync(
        lambda: parts.images.presigned_url(ref.key, ttl_s=_LINK_TTL_S)
    )
    return RedirectResponse(url, headers={"Cache-Control": f"private, max-age={_LINK_TTL_S // 2}"})
