"""The critic's HTTP: a task in, a verdict out."""

from __future__ import annotations

from fastapi import APIRouter, Request

from services.critic.service import CriticService
from shared.contracts.verdicts import VerdictReply, VerdictTask
from shared.http.disconnect import while_connected


def critic_router(service: CriticService) -> APIRouter:
    """The routes of one service object."""
    router = APIRouter(prefix="/v1", tags=["critic"])

    @router.post("/verdicts")
    async def judge(task: VerdictTask, request: Request) -> VerdictReply:
        """Judge one picture; hanging up stops the work."""
        return await while_connected(request, service.judge(task))

    return router
