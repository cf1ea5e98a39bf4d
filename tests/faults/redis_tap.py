"""Recognises points of a trajectory's life in the bytes between a worker and Redis.

A message is popped (and not yet written down as taken), a version is saved (sent, or done but
not answered), a message is acknowledged. What is seen at an armed point never arrives: the
worker is killed there.
"""

from __future__ import annotations

import re

from tests.faults.messages import Messages
from tests.faults.points import Points, Reached

POPPED = "popped"
BEFORE_ACK = "before_ack"
BEFORE_SAVE = "before_save"
AFTER_SAVE = "after_save"
BEFORE_FINAL_SAVE = "before_final_save"
AFTER_FINAL_SAVE = "after_final_save"

_DELIVERY_TAG = re.compile(rb'"delivery_tag": ?"([0-9a-f-]{36})"')
_MESSAGE = b"argsrepr"
_DRAWN = b'"type":"attempt.drawn"'
_ENDED = b'"type":"trajectory.succeeded"'


class RedisTap:
    """One connection of a worker."""

    def __init__(
        self, points: Points, worker: str, tags: dict[bytes, str], *, messages: Messages
    ) -> None:
        """``tags``: of popped messages, shared by all connections of the worker."""
        self._points = points
        self._worker = worker
        self._sent = b""
        self._saved: list[tuple[str, str]] = []
        self._tags = tags
        self._messages = messages

    def request(self, data: bytes) -> bool:
        """Look for saves and acknowledgements on their way to the server."""
        self._sent = (self._sent + data)[-65536:]
        for before, after, mark in (
            (BEFORE_SAVE, AFTER_SAVE, _DRAWN),
            (BEFORE_FINAL_SAVE, AFTER_FINAL_SAVE, _ENDED),
        ):
            if mark not in self._sent:
                continue
            if any(self._reach(before, each) for each in self._named(before, self._sent)):
                return False
            self._saved += [(after, each) for each in self._named(after, self._sent)]
        return not self._acknowledges(data)

    def answer(self, data: bytes) -> bool:
        """Look for popped messages and for answers to saves on their way back."""
        saved, self._saved, self._sent = self._saved, [], b""
        if any(self._reach(point, each) for point, each in saved):
            return False
        if _MESSAGE not in data:
            return True
        self._messages.popped(data)
        for each in self._named(BEFORE_ACK, data):
            self._tags |= dict.fromkeys(_DELIVERY_TAG.findall(data), each)
        return not any(self._reach(POPPED, each) for each in self._named(POPPED, data))

    def _acknowledges(self, data: bytes) -> bool:
        # The first thing said about a popped message (HSET) writes it down as taken.
        known = [tag for tag in self._tags if tag in data and _MESSAGE not in data]
        return any(self._reach(BEFORE_ACK, self._tags.pop(tag)) for tag in known)

    def _named(self, point: str, data: bytes) -> list[str]:
        """The trajectories that wait for this point and are named in these bytes."""
        return [each for each in self._points.waited_for(point) if each.encode() in data]

    def _reach(self, point: str, trajectory_id: str) -> bool:
        return self._points.reach(Reached(point, trajectory_id, self._worker))
