"""How a request becomes the call of a diffusers pipeline, for any pipeline class.

The signature says most; a table holds what signatures do not say. Nothing is imported from
diffusers here, so the mapping is tested with plain functions. What cannot be honoured is
refused, never ignored.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from services.generator.notes import PipelineNotes
from services.generator.ports import DrawRequest
from shared.errors import InvalidRequestError

_GUIDANCE_NAMES: Final = ("guidance_scale", "true_cfg_scale", "text_guidance_scale")


@dataclass(frozen=True, slots=True)
class CallTraits:
    """What a pipeline class can take, and under which names."""

    edits: bool
    text_to_image: bool
    sized: bool
    """Width and height can be asked for; else the picture has its first reference's size."""
    guidance_name: str | None
    image_name: str | None = "image"
    max_references: int = 1
    batches: bool = True
    side_multiple_px: int = 16
    default_side_px: int = 1024
    default_steps: int = 28
    min_side_px: int = 64
    max_side_px: int = 2048
    distilled: bool = False
    """Runs at guidance 1 whatever is asked."""


_EXCEPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "Flux2KleinPipeline": {"max_references": 4, "default_steps": 4},
    "Flux2Pipeline": {"max_references": 6, "default_steps": 28},
    "FluxKontextPipeline": {"default_steps": 28},
    "QwenImagePipeline": {"guidance_name": "true_cfg_scale", "default_steps": 50},
    "QwenImageEditPipeline": {
        "guidance_name": "true_cfg_scale", "text_to_image": False, "batches": False,
        "default_steps": 50,
    },
    "QwenImageEditPlusPipeline": {
        "guidance_name": "true_cfg_scale", "text_to_image": False, "batches": False,
        "max_references": 3, "default_steps": 40,
    },
    "LongCatImageEditPipeline": {"text_to_image": False, "default_steps": 50},
}  # fmt: skip
"""What signatures do not say. Source: each pipeline's documentation in diffusers 0.42."""


def traits_of(class_name: str, call: Callable[..., Any], notes: PipelineNotes) -> CallTraits:
    """Traits from signature, table and notes; the later wins."""
    parameters = inspect.signature(call).parameters
    image = parameters.get("image")
    found = CallTraits(
        edits=image is not None,
        text_to_image=image is None or image.default is not inspect.Parameter.empty,
        sized={"width", "height"} <= parameters.keys(),
        guidance_name=next((name for name in _GUIDANCE_NAMES if name in parameters), None),
        image_name="image" if image is not None else None,
        max_references=0 if image is None else 1,
    )
    found = replace(found, **_EXCEPTIONS.get(class_name, {}))
    wanted = {
        "edits": notes.edits,
        "text_to_image": notes.text_to_image,
        "max_references": notes.max_references,
        "side_multiple_px": notes.side_multiple_px,
        "default_steps": notes.default_steps,
        "min_side_px": notes.min_side_px,
        "max_side_px": notes.max_side_px,
    }
    return replace(found, **{name: value for name, value in wanted.items() if value is not None})


def check(request: DrawRequest, traits: CallTraits) -> None:
    """Return if the pipeline can honour the request.

    Raises:
        InvalidRequestError: says what it cannot, and what it could.
    """
    _check_references(len(request.references), traits)
    _check_size(request, traits)
    _check_guidance(request.guidance, traits)


def _check_references(count: int, traits: CallTraits) -> None:
    if count == 0 and not traits.text_to_image:
        raise InvalidRequestError("This generator only edits; it needs a reference image.")
    if count and not traits.edits:
        raise InvalidRequestError("This generator draws from text alone; it takes no images.")
    if count > traits.max_references:
        raise InvalidRequestError(
            f"This generator takes at most {traits.max_references} reference images, not {count}."
        )


def _check_guidance(guidance: float | None, traits: CallTraits) -> None:
    if guidance is not None and traits.guidance_name is None:
        raise InvalidRequestError("This generator takes no guidance; leave it out.")
    if guidance is not None and guidance != 1 and traits.distilled:
        raise InvalidRequestError("This generator is distilled: its guidance is always 1.")


def _check_size(request: DrawRequest, traits: CallTraits) -> None:
    asked = (request.width_px, request.height_px)
    if not traits.sized and request.references and request.references[0].size != asked:
        raise InvalidRequestError(
            "This generator keeps the size of the reference image: ask for "
            f"{request.references[0].width} x {request.references[0].height}."
        )
    multiple = traits.side_multiple_px
    for side_px in asked:
        if not traits.min_side_px <= side_px <= traits.max_side_px or side_px % multiple:
            raise InvalidRequestError(
                f"This generator cannot draw {asked[0]} x {asked[1]}: sides must be multiples of "
                f"{multiple} from {traits.min_side_px} to {traits.max_side_px}."
            )


def arguments(
    requests: Sequence[DrawRequest], traits: CallTraits, notes: PipelineNotes
) -> dict[str, Any]:
    """The keyword arguments for one call that draws all ``requests`` (all of one shape).

    Random generators and callbacks are added by the caller.
    """
    first = requests[0]
    single = len(requests) == 1
    prompts = [request.prompt for request in requests]
    given: dict[str, Any] = {key: _plain(value) for key, value in notes.call.items()}
    given["prompt"] = prompts[0] if single else prompts
    given["num_inference_steps"] = first.steps or traits.default_steps
    if traits.sized:
        given |= {"width": first.width_px, "height": first.height_px}
    guidance = _guidance(first.guidance, traits, notes)
    if guidance is not None and traits.guidance_name is not None:
        given[traits.guidance_name] = guidance
    images = [image for request in requests for image in request.references]
    if images and traits.image_name is not None:
        given[traits.image_name] = images[0] if len(images) == 1 else images
    return given


def _guidance(asked: float | None, traits: CallTraits, notes: PipelineNotes) -> float | None:
    if asked is not None:
        return asked
    return 1.0 if traits.distilled else notes.default_guidance


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
