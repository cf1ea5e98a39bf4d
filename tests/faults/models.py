"""The model services as processes: what the script says first, then the right answer.

``uvicorn --factory tests.faults.models:planner`` (or ``critic``, ``generator``). Environment:
``FAULTS_FOLDER`` (ledgers), ``FAULTS_CONTROL`` (address of the harness).
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.faults import script as scripts
from tests.faults.engines import REFUSED_HEADER, judging_app, planning_app
from tests.faults.ledger import Ledger

_OPERATIONS = {"/v1/plans": "plan", "/v1/images": "draw", "/v1/verdicts": "judge"}
_STEP = re.compile(r"/steps/(\d+)/(\d+)")
_CONTROL_TIMEOUT_S = 60.0
_FOREVER_S = 600.0
_CRASHES_IN_SETUP = 1


def planner() -> ASGIApp:
    """The planner service."""
    return _scripted("planner", planning_app)


def critic() -> ASGIApp:
    """The critic service."""
    return _scripted("critic", judging_app)


def generator() -> ASGIApp:
    """The generator service."""
    # Only here: the others are to start quickly, they are killed so often.
    from tests.faults.drawing import drawing_app  # noqa: PLC0415

    return _scripted("generator", drawing_app)


@dataclass(frozen=True, slots=True)
class Call:
    """One call as far as the script is concerned."""

    operation: str
    trajectory_id: str
    key: str
    step: int
    script: scripts.Script
    refused: bool
    port: int
    """The caller's, by which the harness finds its process."""


class Scripted:
    """Wraps a service: notes every call and answers wrongly where the script says so."""

    def __init__(self, app: ASGIApp, *, folder: Path, name: str, control_url: str) -> None:
        self._app = app
        self._ledger = Ledger(folder / f"{name}.ledger")
        self._crashes = folder / f"{name}.crashes"
        self._control = httpx.AsyncClient(
            base_url=control_url, timeout=_CONTROL_TIMEOUT_S, trust_env=False
        )
        entries = self._ledger.entries()
        self._calls = Counter((e.trajectory_id, e.key) for e in entries if e.what == "began")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        operation = _OPERATIONS.get(scope.get("path", ""))
        if operation is None:
            await self._app(scope, receive, send)
            return
        body = await _body_of(receive)
        call = _call_of(operation, body, scope)
        number = self._calls[call.trajectory_id, call.key]
        self._calls[call.trajectory_id, call.key] += 1
        self._note(call, "began")
        what = "aborted"
        try:
            if await self._answered(call, number, scope, send=send, receive=receive, body=body):
                what = "ended"
        finally:
            self._note(call, what)

    async def _answered(
        self, call: Call, number: int, scope: Scope, *, send: Send, receive: Receive, body: bytes
    ) -> bool:
        """Answer; False when the caller went away before."""
        answer = call.script.answer(call.operation, step=call.step, call=number)
        await self._stop(call, f"before_{call.operation}")
        if answer == scripts.POISON:
            await self._tell(call, scripts.POISON)
        kind, _, value = answer.partition(":")
        if kind in {"slow", scripts.HANG}:
            pause_s = float(value) if value else _FOREVER_S
            if await _went_away(receive, within_s=pause_s):
                return False
        if kind in {scripts.DIE, scripts.DIE_IN_SETUP}:
            self._die(setups=_CRASHES_IN_SETUP if kind == scripts.DIE_IN_SETUP else 0)
        if kind in {"status", scripts.RUBBISH, scripts.CUT}:
            await _wrong(send, status=int(value or 200), cut=kind == scripts.CUT)
            return True
        if call.refused:
            scope = {**scope, "headers": [*scope["headers"], (REFUSED_HEADER.encode(), b"1")]}
        return await self._right(call, scope, receive, send=send, body=body)

    async def _right(
        self, call: Call, scope: Scope, receive: Receive, *, send: Send, body: bytes
    ) -> bool:
        statuses: list[int] = []

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
                await self._stop(call, f"after_{call.operation}")
            await send(message)

        await self._app(scope, _replayed(body, receive), sending)
        return 499 not in statuses

    def _note(self, call: Call, what: str) -> None:
        self._ledger.note(call.operation, call.trajectory_id, call.key, what)

    async def _stop(self, call: Call, point: str) -> None:
        if call.script.stops:
            await self._tell(call, point)

    async def _tell(self, call: Call, point: str) -> None:
        told = {"point": point, "trajectory_id": call.trajectory_id, "port": call.port}
        await self._control.post("/points", json={**told, "key": call.key})

    def _die(self, *, setups: int) -> None:
        if setups:
            self._crashes.write_text(str(setups))
        os._exit(1)


def _scripted(name: str, make: Callable[[], ASGIApp]) -> ASGIApp:
    folder = Path(os.environ["FAULTS_FOLDER"])
    _crash_in_setup(folder / f"{name}.crashes")
    return Scripted(make(), folder=folder, name=name, control_url=os.environ["FAULTS_CONTROL"])


def _crash_in_setup(file: Path) -> None:
    left = int(file.read_text()) if file.exists() else 0
    if left:
        file.write_text(str(left - 1))
        os._exit(1)


def _call_of(operation: str, body: bytes, scope: Scope) -> Call:
    task = json.loads(body)
    keys = {"plan": lambda: "plan", "draw": lambda: task["output_key"]}
    key = str(keys.get(operation, lambda: task["after"]["key"])())
    _, script = scripts.parse(task.get("plan_prompt") or task["prompt"])
    found = _STEP.search(key)
    step, attempt = (int(found[1]), int(found[2])) if found else (0, 0)
    return Call(
        operation=operation,
        trajectory_id=task["trajectory_id"],
        key=key,
        step=step,
        script=script,
        refused=operation == "judge" and script.refuses(step=step, attempt=attempt),
        port=scope["client"][1],
    )


async def _body_of(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body once more, then what really comes (that is: the hang-up)."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replaying() -> Message:
        return waiting.pop() if waiting else await receive()

    return replaying


async def _went_away(receive: Receive, *, within_s: float) -> bool:
    """Whether the caller hangs up in this time."""
    try:
        async with asyncio.timeout(within_s):
            while (await receive())["type"] != "http.disconnect":
                continue
    except TimeoutError:
        return False
    return True


async def _wrong(send: Send, *, status: int, cut: bool) -> None:
    """Rubbish; or the beginning of an answer that is longer than what comes."""
    headers = [(b"content-type", b"application/json")]
    if cut:
        headers.append((b"content-length", b"4096"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"type":', "more_body": cut})
    if cut:
        raise ConnectionAbortedError
