"""Named points of a trajectory's life: what is to happen when one is reached, once.

Reached from the proxies and from the model services, that is from another thread than the
scenarios'; actions only send signals, so they may run anywhere.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

Action = Callable[["Reached"], None]


@dataclass(frozen=True, slots=True)
class Reached:
    """A point was reached."""

    point: str
    trajectory_id: str
    worker: str = ""
    """Name of the worker it was seen at, if known."""


@dataclass(slots=True)
class _Armed:
    action: Action
    times: int
    done: threading.Event = field(default_factory=threading.Event)


class Points:
    """What is armed, by point and trajectory."""

    def __init__(self) -> None:
        self._armed: dict[tuple[str, str], _Armed] = {}
        self._lock = threading.Lock()

    def arm(
        self, point: str, trajectory_id: str, action: Action, *, times: int = 1
    ) -> threading.Event:
        """Do this the next ``times`` the point is reached; the event tells it was done."""
        armed = _Armed(action, times)
        with self._lock:
            self._armed[point, trajectory_id] = armed
        return armed.done

    def disarm(self) -> None:
        """Forget everything."""
        with self._lock:
            self._armed.clear()

    def waited_for(self, point: str) -> list[str]:
        """Trajectories for which this point is armed."""
        with self._lock:
            return [each for name, each in self._armed if name == point]

    def reach(self, reached: Reached) -> bool:
        """Do what is armed; whether there was something."""
        name = (reached.point, reached.trajectory_id)
        with self._lock:
            armed = self._armed.get(name)
            if armed is None:
                return False
            armed.times -= 1
            if armed.times == 0:
                del self._armed[name]
        armed.action(reached)
        armed.done.set()
        return True
