"""Planner, critic and generator over real HTTP, answering by script.

One ASGI app with the paths of all three services. By default everything goes right at once;
``Answer`` scripts make single calls slow, hang, fail or talk rubbish. What was asked and what
was aborted is written down. Pictures are not drawn: a reference is made up from the task, so
the same task always gives the same picture.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from shared.contracts.generation import GenerateTask, Picture
from shared.contracts.images import ImageRef
from shared.contracts.plans import Plan, PlanFinished, PlanRefused, PlanStep, PlanStepWritten
from shared.contracts.verdicts import Verdict, VerdictTask

_FOREVER_S = 600.0
_START_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """How one call is answered."""

    pause_s: float = 0.0
    status: int = 200
    body: str | None = None
    """Instead of the right answer."""
    success: bool = True
    """The verdict."""


HANGS = Answer(pause_s=_FOREVER_S)
DIES = Answer(status=500)
RUBBISH = Answer(body="no json at all")
REFUSES = Answer(success=False)


@dataclass(slots=True)
class ModelServices:
    """The script and the memory of the three services.

    ``answers`` holds a queue per operation (``plan``, ``draw``, ``judge``); when one is empty,
    the operation's default is taken.
    """

    prompts: Sequence[str | None] = ("a cat", "add a hat")
    step_pause_s: float = 0.0
    """Between two steps of a plan."""
    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    defaults: dict[str, Answer] = field(default_factory=lambda: defaultdict(Answer))
    calls: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """(operation, body) of every call."""
    aborted: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    """(operation, monotonic time) of every call whose client went away."""

    def app(self) -> Starlette:
        """The ASGI app of all three services."""
        routes = [
            Route("/v1/plans", self._plan, methods=["POST"]),
            Route("/v1/plans:check", _checked, methods=["POST"]),
            Route("/v1/images", self._draw, methods=["POST"]),
            Route("/v1/verdicts", self._judge, methods=["POST"]),
            Route("/readyz", _ready),
        ]
        return Starlette(routes=routes)

    def count(self, operation: str) -> int:
        """How many calls of one kind came."""
        return sum(each == operation for each, _ in self.calls)

    async def _plan(self, request: Request) -> Response:
        answer = await self._begin("plan", request)
        if answer is None or answer.status != 200 or answer.body is not None:
            return _bad(answer)
        return StreamingResponse(self._lines(), media_type="application/x-ndjson")

    async def _lines(self):  # noqa: ANN202 - an async generator of str
        steps = tuple(
            PlanStep(step_number=n, instruction=f"step {n}", prompt=prompt)
            for n, prompt in enumerate(self.prompts, start=1)
        )
        for step in steps:
            yield PlanStepWritten(step=step).model_dump_json() + "\n"
            await asyncio.sleep(self.step_pause_s)
        if steps:
            yield PlanFinished(plan=Plan(steps=steps)).model_dump_json() + "\n"
        else:
            refused = PlanRefused(code="plan_unusable", detail="nothing to plan")
            yield refused.model_dump_json() + "\n"

    async def _draw(self, request: Request) -> Response:
        answer = await self._begin("draw", request)
        if answer is None or answer.status != 200 or answer.body is not None:
            return _bad(answer)
        task = GenerateTask.model_validate_json(await request.body())
        return _json(Picture(image=picture_of(task), model="fake", model_version="1"))

    async def _judge(self, request: Request) -> Response:
        answer = await self._begin("judge", request)
        if answer is None or answer.status != 200 or answer.body is not None:
            return _bad(answer)
        task = VerdictTask.model_validate_json(await request.body())
        refined = task.used_prompt if answer.success else f"{task.used_prompt}!"
        return _json(Verdict(success=answer.success, refine_prompt=refined, reasoning="scripted"))

    async def _begin(self, operation: str, request: Request) -> Answer | None:
        """Write the call down and wait as scripted; None when the client went away."""
        body = await request.body()
        self.calls.append((operation, body.decode()))
        queue = self.answers[operation]
        answer = queue.pop(0) if queue else self.defaults[operation]
        give_up_at = time.monotonic() + answer.pause_s
        while (left := give_up_at - time.monotonic()) > 0:
            if await request.is_disconnected():
                self.aborted.append((operation, time.monotonic()))
                return None
            await asyncio.sleep(min(left, 0.02))
        return answer


def picture_of(task: GenerateTask) -> ImageRef:
    """The picture that this task always gives."""
    asked = json.dumps(
        [task.prompt, task.seed, [ref.sha256 for ref in task.references]], ensure_ascii=False
    )
    return ImageRef(
        bucket="interleave",
        key=task.output_key,
        sha256=hashlib.sha256(asked.encode()).hexdigest(),
        size_bytes=1,
        width_px=task.width_px,
        height_px=task.height_px,
    )


@contextmanager
def serving(services: ModelServices) -> Generator[str]:
    """Serve from a thread for the length of the block; gives the base URL of all three."""
    config = uvicorn.Config(
        services.app(), host="127.0.0.1", port=0, log_level="error", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up_at = time.monotonic() + _START_S
    while not server.started and time.monotonic() < give_up_at:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.force_exit = True
        server.should_exit = True
        thread.join(_START_S)


def _json(reply: Picture | Verdict) -> Response:
    return Response(reply.model_dump_json(), media_type="application/json")


def _bad(answer: Answer | None) -> Response:
    if answer is None:
        return Response(status_code=499)
    return PlainTextResponse(answer.body or "scripted failure", status_code=answer.status)


async def _checked(_: Request) -> Response:
    return JSONResponse({"ok": True})


async def _ready(_: Request) -> Response:
    return JSONResponse({"status": "ok"})
