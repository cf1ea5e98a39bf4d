"""A trajectory as a document, and its manifest."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import anyio
from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.gateway.documents.html import html
from services.gateway.documents.json import document
from services.gateway.documents.markdown import markdown
from services.gateway.documents.material import gather
from services.gateway.documents.zip import archive
from services.gateway.manifest import manifest_bytes, manifest_sha256
from services.gateway.routes.access import KeyedRoute, PartsOf, Reader
from services.gateway.routes.identifiers import TrajectoryId
from shared.contracts.trajectories import Trajectory
from shared.stores.images import ImageStore

router = APIRouter(prefix="/v1", tags=["documents"], route_class=KeyedRoute)
# The page holds callers' and models' words: even if one slipped through, nothing may run.
_PAGE_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"


class DocumentFormat(StrEnum):
    """How the result is wanted."""

    HTML = "html"
    MARKDOWN = "md"
    ZIP = "zip"
    JSON = "json"


_MEDIA_TYPES = {
    DocumentFormat.HTML: "text/html; charset=utf-8",
    DocumentFormat.MARKDOWN: "text/markdown; charset=utf-8",
    DocumentFormat.ZIP: "application/zip",
    DocumentFormat.JSON: "application/json",
}


@router.get(
    "/trajectories/{trajectory_id:id}/document",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in _MEDIA_TYPES.values()}}},
)
async def get_document(
    trajectory_id: TrajectoryId,
    parts: PartsOf,
    key: Reader,
    document_format: Annotated[DocumentFormat, Query(alias="format")] = DocumentFormat.HTML,
) -> Response:
    """The result so far: a page, Markdown, JSON (all self-contained), or everything as zip."""
    trajectory = await parts.trajectories.load(key.tenant, trajectory_id)
    body = await anyio.to_thread.run_sync(_render, trajectory, parts.images, document_format)
    kind = "attachment" if document_format is DocumentFormat.ZIP else "inline"
    headers = {
        "Content-Disposition": f'{kind}; filename="{trajectory.id}.{document_format.value}"',
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": _PAGE_POLICY,
    }
    return Response(body, media_type=_MEDIA_TYPES[document_format], headers=headers)


@router.get("/trajectories/{trajectory_id:id}/manifest", response_class=Response)
async def get_manifest(trajectory_id: TrajectoryId, parts: PartsOf, key: Reader) -> Response:
    """All that reproduces it, as canonical JSON: equal results have equal bytes."""
    manifest = manifest_bytes(await parts.trajectories.load(key.tenant, trajectory_id))
    headers = {"ETag": f'"{manifest_sha256(manifest)}"', "Cache-Control": "private, no-cache"}
    return Response(manifest, media_type="application/json", headers=headers)


def _render(trajectory: Trajectory, images: ImageStore, wanted: DocumentFormat) -> bytes:
    attempts = wanted in {DocumentFormat.HTML, DocumentFormat.ZIP}
    material = gather(trajectory, images.get, attempts=attempts)
    match wanted:
        case DocumentFormat.HTML:
            return html(material).encode()
        case DocumentFormat.MARKDOWN:
            return markdown(material, embed=True).encode()
        case DocumentFormat.ZIP:
            return archive(material)
        case DocumentFormat.JSON:
            return document(material).model_dump_json(indent=2, exclude_none=True).encode()
