"""Any diffusers pipeline, from a folder or a hub name, in this process.

The model's thread, drawing and stopping live here; reading the pipeline is
``pipeline_loading``, how a request becomes a call ``pipeline_call``.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import structlog
import torch
from PIL import Image

from services.generator.backends.pipeline_call import arguments, check
from services.generator.backends.pipeline_loading import (
    LoadedPipeline,
    PipelineOptions,
    device_of,
    load,
    pairs_references,
)
from services.generator.model_thread import ModelThread, WorkStoppedError
from services.generator.ports import Drawing, DrawRequest, Refusal
from shared.contracts.generation import GeneratorInfo
from shared.errors import InvalidRequestError, ServiceUnavailableError

_log = structlog.get_logger(__name__)


class DiffusersBackend:
    """A ``GeneratorBackend`` on a thread of its own."""

    lanes = 1

    def __init__(self, options: PipelineOptions, *, hang_s: float = 900.0) -> None:
        self._options = options
        self._thread = ModelThread(hang_s=hang_s)
        self._loaded: LoadedPipeline | None = None
        self._failed = False

    @property
    def info(self) -> GeneratorInfo:
        """See ``GeneratorBackend.info``."""
        return self._model.info

    @property
    def ready(self) -> bool:
        """See ``GeneratorBackend.ready``."""
        return self._loaded is not None and self.alive

    @property
    def alive(self) -> bool:
        """See ``GeneratorBackend.alive``."""
        return self._thread.alive and not self._failed

    async def open(self) -> None:
        """Load the model on its thread."""
        try:
            self._loaded = await self._thread.call(lambda: load(self._options))
        except ServiceUnavailableError:
            self._failed = True
            raise
        _log.info("model_loaded", model=self._options.model)

    def shape_of(self, request: DrawRequest) -> Hashable:
        """See ``GeneratorBackend.shape_of``."""
        loaded = self._model
        check(request, loaded.traits)
        sizes = tuple(image.size for image in request.references)
        shape = (request.width_px, request.height_px, request.steps, request.guidance, sizes)
        together = loaded.traits.batches and (not sizes or pairs_references(loaded.pipeline))
        return shape if together else (*shape, object())

    async def draw(self, requests: Sequence[DrawRequest]) -> Sequence[Drawing]:
        """See ``GeneratorBackend.draw``; stops at the next denoising step when cancelled."""
        loaded = self._model
        unwanted = threading.Event()
        try:
            return await self._thread.call(
                lambda: draw(loaded, requests, options=self._options, stop=unwanted.is_set)
            )
        finally:
            unwanted.set()

    async def close(self) -> None:
        """See ``GeneratorBackend.close``."""
        self._thread.close()
        self._loaded = None

    @property
    def _model(self) -> LoadedPipeline:
        if self._loaded is None:
            raise ServiceUnavailableError("The model is still being loaded.")
        return self._loaded


def draw(
    loaded: LoadedPipeline,
    requests: Sequence[DrawRequest],
    *,
    options: PipelineOptions,
    stop: Callable[[], bool],
) -> list[Drawing]:
    """Draw a batch of requests of one shape.

    Raises:
        WorkStoppedError: soon after ``stop()`` became true.
    """
    given = arguments(requests, loaded.traits, loaded.notes)
    seeds = [_seeded(request.seed, options) for request in requests]
    given["generator"] = seeds[0] if len(seeds) == 1 else seeds
    if "callback_on_step_end" in _parameters(loaded.pipeline):
        given["callback_on_step_end"] = _stopper(stop)
    if stop():
        raise WorkStoppedError
    if pairs_references(loaded.pipeline):
        loaded.pipeline.references_per_sample = len(requests[0].references)
    try:
        output = loaded.pipeline(**given)
    except ValueError as error:
        # How pipelines refuse arguments; not a sign of a broken model.
        raise InvalidRequestError(f"The pipeline refused the request: {error}") from error
    return [
        _checked(image, request, flagged=flagged)
        for image, request, flagged in zip(
            output.images, requests, _flags(output, len(requests)), strict=True
        )
    ]


def _stopper(stop: Callable[[], bool]) -> Callable[..., dict[str, Any]]:
    def after_step(
        _pipeline: object, _step: int, _timestep: object, _values: dict[str, Any]
    ) -> dict[str, Any]:
        if stop():
            raise WorkStoppedError
        return {}

    return after_step


def _parameters(pipeline: Any) -> frozenset[str]:  # noqa: ANN401 - pipelines share no type
    return frozenset(inspect.signature(pipeline.__call__).parameters)


def _checked(image: Image.Image, request: DrawRequest, *, flagged: bool) -> Drawing:
    if flagged:
        return Refusal("picture_refused", "The model's safety checker refused this picture.")
    if image.size != (request.width_px, request.height_px):
        raise InvalidRequestError(
            f"This generator drew {image.width} x {image.height} instead of "
            f"{request.width_px} x {request.height_px}: ask for that size."
        )
    return image


def _flags(output: object, count: int) -> Sequence[bool]:
    found = getattr(output, "nsfw_content_detected", None)
    return [bool(flag) for flag in found] if found else [False] * count


def _seeded(seed: int, options: PipelineOptions) -> torch.Generator:
    device = "cpu" if options.seed_device == "cpu" else device_of(options.device)
    return torch.Generator(device=device).manual_seed(seed)
