"""Runs one item through the service, by its public API alone.

Not here: many items at a time and taking up a run again (``run``).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
from pydantic import ValidationError

from services.trainer.benchmarks.folder import ResultsFolder, write_atomically
from services.trainer.benchmarks.records import IMAGE_MARK, Item, Produced, System
from services.trainer.benchmarks.replies import ImageReply, TrajectoryReply, produced
from shared.contracts.wire import Wire
from shared.errors import (
    BadReplyError,
    ServiceRejectedError,
    ServiceTimeoutError,
    ServiceUnavailableError,
)

_MEDIA_TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
_TRY_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_NOT_ALLOWED = frozenset({401, 403})
"""No item could be run: these end the whole run."""
_WAIT_S = 30
_BEFORE_APPROVAL = frozenset({"queued", "planning"})
_AWAITING = "awaiting_approval"
_LONGEST_PAUSE_S = 30.0
_LONGEST_PROMPT = 4000
"""Characters a step's prompt may have. Source: the public API."""


class RunOptions(Wire):
    """How items are asked for; what is None is left to the service."""

    system: System = System.FULL
    profile: str = "default"
    generator: str | None = None
    max_attempts: int | None = None
    width: int | None = None
    height: int | None = None
    max_steps: int = 20
    seed: int = 0
    item_timeout_s: float = 3600.0


def item_seed(options: RunOptions, item: Item) -> int:
    """A seed of its own for each item, the same in every run with these options."""
    digest = hashlib.sha256(f"{options.seed}:{item.id}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def request_body(item: Item, options: RunOptions) -> dict[str, object]:
    """The body of ``POST /v1/trajectories``."""
    profile = options.profile if options.system is System.FULL else "fast"
    body: dict[str, object | None] = {
        "prompt": item.prompt,
        "images": [data_url(path) for path in item.images],
        "profile": profile,
        "generator": options.generator,
        "steps": item.steps,
        "max_steps": max(options.max_steps, item.steps or 1),
        "max_attempts": options.max_attempts if options.system is System.FULL else None,
        "width": options.width,
        "height": options.height,
        "seed": item_seed(options, item),
        "approval": "plan" if options.system is System.GENERATOR else None,
    }
    return {name: value for name, value in body.items() if value is not None}


def generator_plan(item: Item) -> dict[str, object]:
    """The plan that hands the request to the generator as it stands, for each picture wanted."""
    prompt = " ".join(item.prompt.replace(IMAGE_MARK, " ").split())
    first = len(item.images) + 1
    numbers = range(first, first + (item.steps or item.pictures))
    return {"steps": [{"step_number": n, "prompt": prompt[:_LONGEST_PROMPT]} for n in numbers]}


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
            "POST", "/v1/trajectories", json=body, headers={"Idempotency-Key": key}
        )

    async def _replace_plan(self, item: Item, reply: TrajectoryReply, started: float) -> None:
        reply = await self._until(lambda now: now.status not in _BEFORE_APPROVAL, reply, started)
        if reply.status != _AWAITING:
            return
        path, revision = f"/v1/trajectories/{reply.id}", reply.plan_revision
        await self._call("PUT", f"{path}/plan", json=generator_plan(item))
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
                if reply.status_code in _NOT_ALLOWED:
                    raise ServiceUnavailableError(f"{_detail(reply)}: give another API key")
                if reply.status_code not in _TRY_AGAIN:
                    raise ServiceRejectedError(f"{reply.status_code}: {_detail(reply)}")
                trouble = f"{reply.status_code}: {_detail(reply)}"
                pause_s = _asked_pause(reply) or self._pause(attempt)
            if attempt + 1 < self._tries:
                await asyncio.sleep(min(pause_s, _LONGEST_PAUSE_S))
        raise ServiceUnavailableError(f"{method} {path} failed {self._tries} times: {trouble}")

    def _pause(self, attempt: int) -> float:
        return self._pause_s * 2**attempt


def _check(content: bytes, sha256: str, name: str) -> None:
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BadReplyError(f"picture {name} is not what its hash says")


def _detail(reply: httpx.Response) -> str:
    try:
        body = reply.json()
    except ValueError:
        return reply.reason_phrase
    found = body.get("detail") or body.get("title") if isinstance(body, dict) else None
    return str(found or reply.reason_phrase)


def _asked_pause(reply: httpx.Response) -> float | None:
    asked = reply.headers.get("Retry-After", "")
    return float(asked) if asked.isdigit() else None


def data_url(path: Path) -> str:
    """A picture as the API takes it."""
    media_type = _MEDIA_TYPES.get(path.suffix.lower(), "image/png")
    return f"data:{media_type};base64,{base64.b64encode(path.read_bytes()).decode()}"
