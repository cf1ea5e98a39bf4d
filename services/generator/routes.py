"""The generator's HTTP: tasks in, replies out."""

from __future__ import annotations

from fastapi import APIRouter, Request

from services.generator.service import GeneratorService
from shared.contracts.generation import GenerateReply, GenerateTask, GeneratorInfo
from shared.http.disconnect import while_connected


def generator_router(service: GeneratorService) -> APIRouter:
    """The routes of one service object."""
    router = APIRouter(prefix="/v1", tags=["generator"])

    @router.post("/images")
    async def draw(task: GenerateTask, request: Request) -> GenerateReply:
        """Draw one picture; hanging up stops the work."""
        return await while_connected(request, service.draw(task))

    @router.get("/info")
    async def info() -> GeneratorInfo:
        """What can be asked of this generator."""
        return service.info

    return router
