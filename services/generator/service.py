"""Draws a picture for a task: references in, picture stored, reference out.

Not here: HTTP (``routes``), what waits for what (``batcher``), the models (``backends``).
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress

import structlog

from services.generator.batcher import Batcher, BatchLimits
from services.generator.pictures import decoded, encoded
from services.generator.ports import Drawing, DrawRequest, GeneratorBackend, Refusal
from shared.contracts.generation import GenerateTask, GeneratorInfo, Picture, PictureRefused
from shared.errors import InterleaveError
from shared.stores.images import ImageStore
from shared.telemetry.metrics import MODEL_CALLS, MODEL_SECONDS
from shared.telemetry.tracing import span

_log = structlog.get_logger(__name__)


class GeneratorService:
    """The use-cases of the generator service."""

    def __init__(
        self, backend: GeneratorBackend, store: ImageStore, *, limits: BatchLimits
    ) -> None:
        self._backend = backend
        self._store = store
        self._batcher: Batcher[DrawRequest, tuple[Drawing, float]] = Batcher(
            self._timed, limits=limits
        )
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def alive(self) -> bool:
        """False when only a restart can help."""
        return self._backend.alive and not any(task.done() for task in self._tasks)

    @property
    def info(self) -> GeneratorInfo:
        """What can be asked of this generator."""
        return self._backend.info

    async def readiness(self) -> dict[str, bool]:
        """Whether model and object store work."""
        store = await asyncio.to_thread(self._store.healthy)
        return {"model": self._backend.ready, "store": store}

    async def start(self) -> None:
        """Begin to serve; returns when the model is ready.

        Raises:
            InterleaveError: if the model cannot be loaded.
        """
        await self._backend.open()
        self._batcher.lower_max_batch(self.info.max_batch)
        lanes = range(self._backend.lanes)
        self._tasks = [asyncio.create_task(self._batcher.serve()) for _ in lanes]

    async def stop(self) -> None:
        """Stop serving and free the model."""
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        await self._backend.close()

    async def draw(self, task: GenerateTask) -> Picture | PictureRefused:
        """The picture for ``task``, stored under its key.

        A repeated task gets the picture that is already there. Cancelling stops the work.

        Raises:
            InvalidRequestError: if the model cannot honour the task.
            InterleaveError: whatever else failed.
        """
        info = self.info
        fingerprint = fingerprint_of(task, info)
        known = await self._known(task, fingerprint)
        if known is not None:
            return known
        request = await self._request(task)
        with span("generate_content", info.model, trajectory_id=task.trajectory_id):
            drawing, seconds = await self._drawn(task, request)
        if isinstance(drawing, Refusal):
            MODEL_CALLS.labels("generate", info.model, "refused").inc()
            return PictureRefused(code=drawing.code, detail=drawing.detail)
        MODEL_CALLS.labels("generate", info.model, "drawn").inc()
        data = await asyncio.to_thread(encoded, drawing)
        known = await self._known(task, fingerprint)  # a twin of this task may have been faster
        if known is not None:
            return known
        image = await asyncio.to_thread(
            self._store.put, task.output_key, data,
            width_px=drawing.width, height_px=drawing.height, fingerprint=fingerprint,
        )  # fmt: skip
        _log.info("picture_drawn", seconds=round(seconds, 3), speculative=task.speculative)
        return Picture(image=image, model=info.model, model_version=info.version, seconds=seconds)

    async def _known(self, task: GenerateTask, fingerprint: str) -> Picture | None:
        image = await asyncio.to_thread(self._store.find, task.output_key, fingerprint=fingerprint)
        if image is None:
            return None
        return Picture(image=image, model=self.info.model, model_version=self.info.version)

    async def _request(self, task: GenerateTask) -> DrawRequest:
        references = [
            await asyncio.to_thread(lambda ref=ref: decoded(self._store.get(ref)))
            for ref in task.references
        ]
        return DrawRequest(
            prompt=task.prompt,
            references=tuple(references),
            width_px=task.width_px,
            height_px=task.height_px,
            seed=task.seed,
            steps=task.steps,
            guidance=task.guidance,
        )

    async def _drawn(self, task: GenerateTask, request: DrawRequest) -> tuple[Drawing, float]:
        try:
            return await self._batcher.submit(
                request,
                shape=self._backend.shape_of(request),
                owner=task.owner or task.trajectory_id,
                speculative=task.speculative,
            )
        except InterleaveError as error:
            MODEL_CALLS.labels("generate", self.info.model, error.code).inc()
            raise

    async def _timed(self, requests: Sequence[DrawRequest]) -> Sequence[tuple[Drawing, float]]:
        started = time.monotonic()
        drawings = await self._backend.draw(requests)
        seconds = time.monotonic() - started
        MODEL_SECONDS.labels("generate", self.info.model).observe(seconds)
        return [(drawing, seconds) for drawing in drawings]


def fingerprint_of(task: GenerateTask, info: GeneratorInfo) -> str:
    """Names everything that decides how the picture looks."""
    looks = task.model_dump_json(
        include={"prompt", "width_px", "height_px", "seed", "steps", "guidance"}
    )
    sources = ",".join(ref.sha256 for ref in task.references)
    text = "\n".join((looks, sources, info.model, info.version))
    return hashlib.sha256(text.encode()).hexdigest()
