"""Runs one item through the service, by its public API alone.

Not here: what it is asked (``asking``), many items at a time and taking up a run again (``run``).
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping

import httpx
from pydantic import ValidationError

from services.trainer.benchmarks.asking import (
    RunOptions,
    estimate_body,
    generator_plan,
    request_body,
)
from services.trainer.benchmarks.folder import ResultsFolder, write_atomically
from services.trainer.benchmarks.records import Item, Produced, System
from services.trainer.benchmarks.replies import (
    EstimateReply,
    ImageReply,
    TrajectoryReply,
    produced,
)
from services.trainer.benchmarks.trouble import (
    TRAJECTORIES,
    asked_pause_s,
    detail,
    may_pass,
    why_no_item_can_run,
)
from shared.errors import (
    BadReplyError,
    ServiceRejectedError,
    ServiceTimeoutError,
    ServiceUnavailableError,
)

_WAIT_S = 30
_BEFORE_APPROVAL = frozenset({"queued", "planning"})
_AWAITING = "awaiting_approval"
_LONGEST_PAUSE_S = 30.0


class InterleaveService:
    """The service behind its public API; retries what may pass, a bounded number of times."""

    def __init__(
        self, http: httpx.AsyncClient, options: RunOptions, *, tries: int = 6, pause_s: float = 1.0
    ) -> None:
        """``http`` has the base URL and the API key; it is closed by its owner."""
        self._http = http
        self._options = options
        self._tries = tries
        self._pause_s = pause_s

    async def produce(self, item: Item, folder: ResultsFolder, *, key: str) -> Produced:
        """Run an item and keep its pictures. The same ``key`` takes up what was begun before.

        Raises:
            ServiceUnavailableError: The service cannot be reached or cannot work.
            ServiceTimeoutError: The item took longer than allowed; it was cancelled.
            ServiceRejectedError: The service refuses the item.
            BadReplyError: An answer is not what the API promises.
        """
        started = time.monotonic()
        body = request_body(item, self._options)
        reply = await self._begin(body, key)
        if self._options.system is System.GENERATOR:
            await self._replace_plan(item, reply, started)
        reply = await self._until_final(reply, started)
        for name, image in reply.images().items():
            write_atomically(folder.item(item.id) / name, await self.picture(image))
        return produced(item.id, reply, seconds=time.monotonic() - started)

    async def expected(self, item: Item) -> EstimateReply:
        """What the service thinks an item will take; errors as in ``produce``."""
        body = estimate_body(item, self._options)
        reply = await self._call("POST", "/v1/trajectories:estimate", json=body)
        try:
            return EstimateReply.model_validate_json(reply.content)
        except ValidationError as error:
            raise BadReplyError("the service gave no estimate") from error

    async def finished(self, body: Mapping[str, object], *, key: str) -> TrajectoryReply:
        """A trajectory in its final state; errors and ``key`` as in ``produce``."""
        return await self._until_final(await self._begin(body, key), time.monotonic())

    async def picture(self, image: ImageReply) -> bytes:
        """A picture's file, checked against its hash; errors as in ``produce``."""
        content = await self._call("GET", image.url)
        _check(content.content, image.sha256, image.url)
        return content.content

    async def _begin(self, body: Mapping[str, object], key: str) -> TrajectoryReply:
        return await self._trajectory(
            "POST", TRAJECTORIES, json=body, headers={"Idempotency-Key": key}
        )

    async def _replace_plan(self, item: Item, reply: TrajectoryReply, started: float) -> None:
        reply = await self._until(lambda now: now.status not in _BEFORE_APPROVAL, reply, started)
        if reply.status != _AWAITING:
            return
        path, revision = f"/v1/trajectories/{reply.id}", reply.plan_revision
        await self._call("PUT", f"{path}/plan", json=generator_plan(item, reply.first_step))
        reply = await self._until(
            lambda now: now.plan_revision > revision or now.status != _AWAITING, reply, started
        )
        if reply.status == _AWAITING:
            await self._call("POST", f"{path}:approve")

    async def _until(
        self, holds: Callable[[TrajectoryReply], bool], reply: TrajectoryReply, started: float
    ) -> TrajectoryReply:
        """Ask again and again until something holds."""
        while not holds(reply):
            self._check_time(started)
            await asyncio.sleep(self._pause_s / 2)
            reply = await self._trajectory("GET", f"/v1/trajectories/{reply.id}")
        return reply

    async def _until_final(self, reply: TrajectoryReply, started: float) -> TrajectoryReply:
        while not reply.final:
            try:
                self._check_time(started)
            except ServiceTimeoutError:
                await self._call("POST", f"/v1/trajectories/{reply.id}:cancel")
                raise
            path = f"/v1/trajectories/{reply.id}"
            reply = await self._trajectory("GET", path, params={"wait": _WAIT_S})
        return reply

    def _check_time(self, started: float) -> None:
        if time.monotonic() - started > self._options.item_timeout_s:
            raise ServiceTimeoutError(f"not finished after {self._options.item_timeout_s:g} s")

    async def _trajectory(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, object] | None = None,
        params: Mapping[str, int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TrajectoryReply:
        reply = await self._call(method, path, json=json, params=params, headers=headers)
        try:
            return TrajectoryReply.model_validate_json(reply.content)
        except ValidationError as error:
            raise BadReplyError(f"{method} {path} gave no trajectory") from error

    async def _call(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, object] | None = None,
        params: Mapping[str, int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        trouble = ""
        for attempt in range(self._tries):
            try:
                reply = await self._http.request(
                    method, path, json=json, params=params, headers=headers, follow_redirects=True
                )
            except httpx.TransportError as error:
                trouble, pause_s = f"{type(error).__name__}", self._pause(attempt)
            else:
                if reply.is_success:
                    return reply
                if stop := why_no_item_can_run(reply, path):
                    raise ServiceUnavailableError(stop)
                trouble = f"{reply.status_code}: {detail(reply)}"
                if not may_pass(reply):
                    raise ServiceRejectedError(trouble)
                pause_s = asked_pause_s(reply) or self._pause(attempt)
            if attempt + 1 < self._tries:
                await asyncio.sleep(min(pause_s, _LONGEST_PAUSE_S))
        raise ServiceUnavailableError(f"{method} {path} failed {self._tries} times: {trouble}")

    def _pause(self, attempt: int) -> float:
        return self._pause_s * 2**attempt


def _check(content: bytes, sha256: str, name: str) -> None:
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BadReplyError(f"picture {name} is not what its hash says")
