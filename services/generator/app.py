"""Builds and wires the generator service: ``uvicorn --factory services.generator.app:make_app``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import structlog
from fastapi import FastAPI

from services.generator.backends.openai_images import OpenAIImagesBackend
from services.generator.batcher import BatchLimits
from services.generator.ports import GeneratorBackend
from services.generator.routes import generator_router
from services.generator.service import GeneratorService
from services.generator.settings import BackendKind, GeneratorSettings
from shared.errors import InterleaveError
from shared.http import app as http
from shared.stores.s3_images import S3ImageStore

_log = structlog.get_logger(__name__)


def make_app() -> FastAPI:
    """The service as the environment describes it."""
    settings = GeneratorSettings()
    store = S3ImageStore(settings.storage)
    limits = BatchLimits(
        max_batch=settings.max_batch,
        max_wait_s=settings.max_wait_ms / 1000,
        max_waiting=settings.max_waiting,
    )
    return build_app(GeneratorService(_backend(settings), store, limits=limits), settings)


def build_app(service: GeneratorService, settings: GeneratorSettings | None = None) -> FastAPI:
    """The HTTP application round a service; the model loads while health already answers."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        loading = asyncio.create_task(_start(service))
        try:
            yield
        finally:
            loading.cancel()
            with suppress(asyncio.CancelledError):
                await loading
            await service.stop()

    app = http.make_app(
        "Interleave generator",
        settings=settings,
        lifespan=lifespan,
        readiness=service.readiness,
        alive=lambda: service.alive,
    )
    app.include_router(generator_router(service))
    return app


async def _start(service: GeneratorService) -> None:
    try:
        await service.start()
    except InterleaveError as error:
        # Health turns bad by itself (the backend is not alive); whoever runs us restarts us.
        _log.error("start_failed", detail=error.detail)


def _backend(settings: GeneratorSettings) -> GeneratorBackend:
    if settings.backend is BackendKind.OPENAI_IMAGES:
        return OpenAIImagesBackend(settings)
    # Only here: torch takes seconds to load, and the other backend needs none of it.
    from services.generator.backends.diffusers_pipeline import DiffusersBackend  # noqa: PLC0415
    from services.generator.backends.pipeline_loading import PipelineOptions  # noqa: PLC0415

    options = PipelineOptions(
        model=settings.model,
        name=settings.name,
        device=settings.device,
        dtype=settings.dtype,
        torch_threads=settings.torch_threads,
        max_batch=settings.max_batch,
        seed_device=settings.seed_device,
        offload=settings.offload,
    )
    return DiffusersBackend(options, hang_s=settings.hang_s)
