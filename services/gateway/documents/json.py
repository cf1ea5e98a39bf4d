"""The result as one JSON document: ordered parts with their pictures inside."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from services.gateway.documents.material import Material
from services.gateway.presenter import output_parts
from services.gateway.views import ImageView


class DocumentPart(BaseModel):
    """A text, or a picture as a ``data:`` URL."""

    model_config = ConfigDict(frozen=True)

    type: str
    step: int
    text: str | None = None
    image: ImageView | None = None
    data_url: str | None = None
    accepted: bool | None = None


class Document(BaseModel):
    """What was asked and what came out."""

    model_config = ConfigDict(frozen=True)

    id: str
    status: str
    prompt: str
    seed: int
    inputs: list[str]
    parts: list[DocumentPart]


def document(material: Material) -> Document:
    """The self-contained document."""
    trajectory = material.trajectory
    by_sha256 = {
        step.image.sha256: material.data_url(step.image)
        for step in trajectory.steps
        if step.image is not None
    }
    return Document(
        id=trajectory.id,
        status=trajectory.status.value,
        prompt=trajectory.request.prompt,
        seed=trajectory.request.seed,
        inputs=[material.data_url(ref) for ref in trajectory.request.images],
        parts=[
            DocumentPart(
                **part.model_dump(),
                data_url=by_sha256[part.image.sha256] if part.image is not None else None,
            )
            for part in output_parts(trajectory)
        ],
    )
