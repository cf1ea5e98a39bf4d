"""The local stack: what is started in which order, kept running, and stopped.

How each process is started is in ``servers`` and ``services``; one process's life is in
``processes``. Everything runs in the caller's (main) thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.launcher import servers, services
from services.launcher.data_folder import DataFolder
from services.launcher.errors import LauncherError, StackFailedError
from services.launcher.ports import is_free, remembered_ports
from services.launcher.processes import Child, ChildSpec
from services.launcher.settings import LauncherSettings
from services.launcher.state_file import ProcessState, StackState

TICK_S = 0.2
_PORT_NAMES = (
    "valkey",
    *servers.SEAWEED_PORTS,
    *services.MODEL_SERVICES,
    "gateway",
    *services.METRICS_PORTS.values(),
)


@dataclass(frozen=True, slots=True)
class StackPlan:
    """Every process of a stack in the order of starting, and where the stack is reached."""

    specs: tuple[ChildSpec, ...]
    url: str
    redis_url: str


def plan_stack(folder: DataFolder, settings: LauncherSettings) -> StackPlan:
    """The whole stack: both servers and every service.

    Raises:
        LauncherError: The gateway's port is taken, or a model is missing.
    """
    if missing := services.missing_models(settings):
        names = ", ".join(str(path) for path in missing)
        raise LauncherError(
            f"No model at {names}. Train one with `interleave sketchbook train all`, or set "
            "PLANNER_MODEL, CRITIC_MODEL and GENERATOR_MODEL."
        )
    wiring = services.Wiring(_ports(folder, settings), folder.credentials(), settings)
    models = tuple(services.model_service(name, wiring) for name in services.MODEL_SERVICES)
    specs = (
        servers.valkey(folder, wiring.ports, wiring.credentials),
        servers.seaweedfs(folder, wiring.ports, wiring.credentials),
        *models,
        services.orchestrator("worker", wiring),
        services.orchestrator("reaper", wiring),
        services.gateway(wiring, key_file=folder.key),
    )
    redis_url = servers.redis_url(wiring.ports, wiring.credentials)
    return StackPlan(specs, url=wiring.url("gateway"), redis_url=redis_url)


def _ports(folder: DataFolder, settings: LauncherSettings) -> dict[str, int]:
    if settings.port and not is_free(settings.port):
        raise LauncherError(
            f"Port {settings.port} is in use. Choose another with --port, or --port 0 for any."
        )
    ports = remembered_ports(folder.ports, _PORT_NAMES)
    return ports | {"gateway": settings.port} if settings.port else ports


@dataclass(slots=True)
class Stack:
    """All processes of a stack; ``tick`` it regularly from the main thread."""

    folder: DataFolder
    plan: StackPlan
    tell: Callable[[str], None]
    """Takes one line worth telling the person who started it."""
    children: dict[str, Child] = field(init=False)

    def __post_init__(self) -> None:
        """Make the children; nothing is started yet."""
        self.children = {s.name: Child(s, log=self.folder.log(s.name)) for s in self.plan.specs}

    @property
    def ready(self) -> bool:
        """Whether every process works."""
        return all(child.ready for child in self.children.values())

    def tick(self) -> None:
        """Start what can be started, notice deaths and readiness, restart what is due.

        Raises:
            StackFailedError: A process died again and again.
        """
        for child in self.children.values():
            if not child.started and self._may_start(child):
                child.start()
            if line := child.tend():
                self.tell(line)
                self.save_state()

    def _may_start(self, child: Child) -> bool:
        return all(self.children[name].ready for name in child.spec.after)

    def wait_until_ready(self, timeout_s: float, *, stopping: Callable[[], bool]) -> None:
        """Tick until every process works or ``stopping`` says so.

        Raises:
            StackFailedError: Time is up; the message shows the logs of what is not ready.
        """
        give_up_at = time.monotonic() + timeout_s
        while not self.ready and not stopping():
            if time.monotonic() > give_up_at:
                raise StackFailedError(self._not_ready(timeout_s))
            self.tick()
            time.sleep(TICK_S)

    def _not_ready(self, timeout_s: float) -> str:
        late = [child for child in self.children.values() if not child.ready]
        logs = "\n".join(f"--- {child.log}\n{child.log_tail()}" for child in late)
        names = ", ".join(child.spec.name for child in late)
        return f"Not ready after {timeout_s:.0f} s: {names}.\n{logs}"

    def save_state(self) -> None:
        """Write ``stack.json``."""
        self.state().save(self.folder.stack)

    def state(self) -> StackState:
        """The stack as other commands see it."""
        return StackState(
            pid=os.getpid(),
            url=self.plan.url,
            redis_url=self.plan.redis_url,
            ready=self.ready,
            processes=tuple(_process_state(child) for child in self.children.values()),
        )

    def stop(self) -> None:
        """Stop every process, the last started first, and remove ``stack.json``."""
        for child in reversed(self.children.values()):
            child.stop()
        self.folder.stack.unlink(missing_ok=True)


def _process_state(child: Child) -> ProcessState:
    return ProcessState(
        name=child.spec.name,
        pid=child.pid,
        address=child.spec.address,
        ready=child.ready,
        restarts=child.restarts,
    )
