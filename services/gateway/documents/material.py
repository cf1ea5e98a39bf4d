"""What every renderer works on: a trajectory and the bytes of its pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image

from shared.contracts.images import ImageRef
from shared.contracts.trajectories import StepState, Trajectory

_MAX_TITLE = 90
_THUMBNAIL_PX = 320


@dataclass(frozen=True, slots=True)
class Material:
    """A trajectory with its pictures by object key."""

    trajectory: Trajectory
    pictures: Mapping[str, bytes]

    def data_url(self, ref: ImageRef) -> str:
        """The picture as a ``data:`` URL."""
        encoded = base64.b64encode(self.pictures[ref.key]).decode("ascii")
        return f"data:{ref.media_type};base64,{encoded}"

    def thumbnail_url(self, ref: ImageRef) -> str:
        """A small version as a ``data:`` URL: a page may hold hundreds of attempts."""
        if max(ref.width_px, ref.height_px) <= _THUMBNAIL_PX:
            return self.data_url(ref)
        buffer = io.BytesIO()
        with Image.open(io.BytesIO(self.pictures[ref.key])) as picture:
            small = picture.convert("RGB")
            small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
            small.save(buffer, format="JPEG", quality=82)
        return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"

    @property
    def title(self) -> str:
        """The request in one line."""
        line = " ".join(self.trajectory.request.prompt.replace("<image>", " ").split())
        return line if len(line) <= _MAX_TITLE else line[: _MAX_TITLE - 1].rstrip() + "…"


def gather(
    trajectory: Trajectory, read: Callable[[ImageRef], bytes], *, attempts: bool
) -> Material:
    """Read the pictures a document needs.

    Args:
        trajectory: what to show.
        read: bytes of a stored picture.
        attempts: also the pictures that were not chosen.
    """
    refs = [*trajectory.request.images, *_shown(trajectory)]
    if attempts:
        refs += [a.image for s in trajectory.steps for a in s.attempts if a.image is not None]
    return Material(trajectory, {ref.key: read(ref) for ref in {r.key: r for r in refs}.values()})


def input_name(index: int) -> str:
    """File name of an image of the request."""
    return f"images/input-{index + 1:02d}.png"


def step_name(step: StepState) -> str:
    """File name of a step's picture."""
    return f"images/step-{step.plan.step_number:02d}.png"


def attempt_name(step: StepState, number: int) -> str:
    """File name of one attempt's picture."""
    return f"images/attempts/step-{step.plan.step_number:02d}-attempt-{number:02d}.png"


def _shown(trajectory: Trajectory) -> list[ImageRef]:
    return [step.image for step in trajectory.steps if step.image is not None]
