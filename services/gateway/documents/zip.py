"""Everything in one archive: page, Markdown, record, manifest and pictures."""

from __future__ import annotations

import io
import zipfile

from services.gateway.documents.html import html
from services.gateway.documents.markdown import markdown
from services.gateway.documents.material import Material, attempt_name, input_name, step_name
from services.gateway.manifest import manifest_bytes
from services.gateway.presenter import trajectory_view

_EPOCH = (1980, 1, 1, 0, 0, 0)


def archive(material: Material) -> bytes:
    """The zip file; equal material gives equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data in _files(material).items():
            # Pictures are compressed already.
            kind = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            target.writestr(zipfile.ZipInfo(name, _EPOCH), data, compress_type=kind)
    return buffer.getvalue()


def _files(material: Material) -> dict[str, bytes]:
    trajectory = material.trajectory
    files = {
        "index.html": html(material).encode(),
        "document.md": markdown(material, embed=False).encode(),
        "trajectory.json": trajectory_view(trajectory).model_dump_json(indent=2).encode(),
        "manifest.json": manifest_bytes(trajectory),
    }
    for index, ref in enumerate(trajectory.request.images):
        files[input_name(index)] = material.pictures[ref.key]
    for step in trajectory.steps:
        if step.image is not None:
            files[step_name(step)] = material.pictures[step.image.key]
        for attempt in step.attempts:
            if attempt.image is not None and attempt.image.key in material.pictures:
                files[attempt_name(step, attempt.number)] = material.pictures[attempt.image.key]
    return files
