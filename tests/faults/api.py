"""The public API as a patient caller uses it: asks again until it is answered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

_CALL_S = 20.0
_PAUSE_S = 0.25
_WAIT_S = 3
_HISTORY_S = 30.0
_OUR_FAULT = 500
_UNAUTHENTICATED = 401
_CONFLICT = 409
Json = dict[str, Any]


class Unanswered(Exception):  # noqa: N818 - not an error of the stack: time is up
    """Nobody answered in time."""


class Api:
    """Calls with one key; every call is repeated while the gateway is away."""

    def __init__(self, url: str, key: str) -> None:
        self.conflicts = 0
        """How often a key was still busy."""
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=_CALL_S,
            limits=httpx.Limits(max_connections=100),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        """As a context manager."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def create(self, body: Mapping[str, object], *, name: str, timeout_s: float) -> str:
        """Start a trajectory; the idempotency key makes repeating it harmless.

        A request that ended badly keeps its key busy for a while (409): then with another key.
        """
        give_up_at = time.monotonic() + timeout_s
        answer = await self._post(body, name, timeout_s=timeout_s)
        while answer.status_code == _CONFLICT and time.monotonic() < give_up_at:
            self.conflicts += 1
            await asyncio.sleep(_PAUSE_S)
            answer = await self._post(
                body, f"{name}-{self.conflicts}", timeout_s=give_up_at - time.monotonic()
            )
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            message = f"a good request was refused: {answer.status_code} {answer.text[:300]}"
            raise AssertionError(message)
        return str(answer.json()["id"])

    async def _post(
        self, body: Mapping[str, object], name: str, *, timeout_s: float
    ) -> httpx.Response:
        return await self.ask(
            "POST",
            "/v1/trajectories",
            json=body,
            headers={"Idempotency-Key": name},
            timeout_s=timeout_s,
            again=frozenset({_UNAUTHENTICATED}),
        )

    async def trajectory(
        self, trajectory_id: str, *, timeout_s: float = 30.0, wait_s: int = 0
    ) -> Json | None:
        """The record, or None if there is none; ``wait_s``: at most so long for its end."""
        url = f"/v1/trajectories/{trajectory_id}?wait={wait_s}"
        answer = await self.ask(
            "GET", url, timeout_s=timeout_s, again=frozenset({_UNAUTHENTICATED})
        )
        return answer.json() if answer.is_success else None

    async def until_final(self, trajectory_id: str, *, still_s: float) -> Json | None:
        """The record once it is final, or as it is after ``still_s`` without any progress.

        None if it is not there.
        """
        give_up_at = time.monotonic() + still_s
        record: Json | None = None
        while time.monotonic() < give_up_at:
            try:
                newer = await self.trajectory(
                    trajectory_id, wait_s=_WAIT_S, timeout_s=give_up_at - time.monotonic()
                )
            except Unanswered:
                break
            if newer is not None and newer["final"]:
                return newer
            if newer is not None and (record is None or newer["sequence"] > record["sequence"]):
                give_up_at = time.monotonic() + still_s
            record = newer
            await asyncio.sleep(_PAUSE_S)
        return record

    async def cancel(self, trajectory_id: str) -> int:
        """Ask for the end; gives the status of the answer."""
        answer = await self.ask("POST", f"/v1/trajectories/{trajectory_id}:cancel", timeout_s=30.0)
        return answer.status_code

    async def manifest(self, trajectory_id: str) -> bytes:
        """The manifest's bytes."""
        answer = await self.ask("GET", f"/v1/trajectories/{trajectory_id}/manifest", timeout_s=30.0)
        return answer.raise_for_status().content

    async def file(self, url: str) -> bytes | None:
        """A picture's bytes, or None if it cannot be had."""
        answer = await self.ask("GET", url, timeout_s=30.0)
        if answer.is_redirect:
            answer = await self.ask("GET", answer.headers["location"], timeout_s=30.0)
        return answer.content if answer.is_success else None

    async def events(
        self, trajectory_id: str, *, after: int = 0, at_most: int | None = None
    ) -> list[Json]:
        """Events above ``after``; hangs up after ``at_most``."""
        headers = {"Last-Event-ID": str(after)}
        url = f"/v1/trajectories/{trajectory_id}/events"
        found: list[Json] = []
        async with self._http.stream("GET", url, headers=headers) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    found.append(json.loads(line[5:]))
                if at_most is not None and len(found) >= at_most:
                    break
        return found

    async def history(self, trajectory_id: str) -> list[Json]:
        """All events of a trajectory that has ended, asked for until they are given."""
        give_up_at = time.monotonic() + _HISTORY_S
        while True:
            try:
                return await self.events(trajectory_id)
            except httpx.HTTPError as error:
                if time.monotonic() > give_up_at:
                    raise Unanswered(repr(error)) from error
            await asyncio.sleep(_PAUSE_S)

    async def ask(
        self,
        method: str,
        url: str,
        *,
        timeout_s: float,
        again: frozenset[int] = frozenset(),
        **more: Any,  # noqa: ANN401 - passed on to httpx
    ) -> httpx.Response:
        """One answer that is neither a broken connection nor a 5xx.

        Raises:
            Unanswered: time is up.
        """
        give_up_at = time.monotonic() + timeout_s
        said = ""
        while time.monotonic() < give_up_at:
            try:
                answer = await self._http.request(method, url, **more)
            except httpx.HTTPError as error:
                said = repr(error)
            else:
                if answer.status_code < _OUR_FAULT and answer.status_code not in again:
                    return answer
                said = f"{answer.status_code} {answer.text[:200]}"
            await asyncio.sleep(_PAUSE_S)
        message = f"{method} {url}: {said}"
        raise Unanswered(message)
