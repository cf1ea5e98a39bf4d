"""Worker and reaper as processes on a real Valkey server, with scripted model services."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import redis
from celery import Celery

from shared.contracts.events import Happening, PublicEvent
from shared.contracts.trajectories import Trajectory
from shared.queue import make_celery, send_command, send_wakeup
from shared.stores import redis_keys as keys
from shared.stores.redis_trajectories import RedisTrajectoryStore
from tests.fakes.model_services import ModelServices, serving
from tests.servers import ValkeyServer
from tests.trajectories import queued_event, trajectory

_ROOT = Path(__file__).parents[3]
_NUMBERS = itertools.count(1)
_READY_S = 30.0
T = TypeVar("T")


@dataclass(slots=True)
class Stack:
    """Everything between the gateway and the models."""

    valkey_url: str
    models: ModelServices
    environment: dict[str, str]
    folder: Path
    client: redis.Redis = field(init=False)
    store: RedisTrajectoryStore = field(init=False)
    celery: Celery = field(init=False)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Connect."""
        self.client = redis.Redis.from_url(self.valkey_url)
        self.store = RedisTrajectoryStore(self.client)
        self.celery = make_celery(self.valkey_url)

    def start(self, role: str, name: str | None = None) -> None:
        """Start a worker or a reaper; a worker is waited for."""
        name = name or role
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "services.orchestrator", role],
                cwd=_ROOT,
                env=os.environ | self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if role == "worker":
            self.wait(self._worker_listens, timeout_s=_READY_S)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal; after a deadly one, wait for the end."""
        process = self.processes[name]
        process.send_signal(number)
        if number in {signal.SIGKILL, signal.SIGTERM}:
            process.wait(10)
            del self.processes[name]

    def submit(self, **fields: object) -> Trajectory:
        """A trajectory as the gateway makes it; gives its first version."""
        number = next(_NUMBERS)
        state = trajectory(
            trajectory_id=f"trj_{number:08d}{time.time_ns() % 10**16:016d}",
            at=datetime.now(UTC),
            **fields,  # type: ignore[arg-type]
        )
        created = self.store.create(state, events=[queued_event(state)])
        send_command(self.celery, created.id, created.pending[0])
        return created

    def post(self, trajectory_id: str, happening: Happening) -> None:
        """What the gateway does for a caller's wish."""
        self.store.post(trajectory_id, happening)
        send_wakeup(self.celery, trajectory_id)

    def finished(self, trajectory_id: str, *, timeout_s: float = 20.0) -> Trajectory:
        """Wait for the final state."""

        def final() -> Trajectory | None:
            state = self.store.load(trajectory_id)
            return state if state is not None and state.status.final else None

        return self.wait(final, timeout_s=timeout_s)

    def events(self, trajectory_id: str) -> list[PublicEvent]:
        """All public events."""
        entries = self.client.xrange(keys.events(trajectory_id))
        return [PublicEvent.model_validate(json.loads(f[b"event"])) for _, f in entries]  # type: ignore[union-attr]

    def wait(self, found: Callable[[], T | None], *, timeout_s: float = 10.0) -> T:
        """Poll until something truthy is found."""
        give_up_at = time.monotonic() + timeout_s
        while time.monotonic() < give_up_at:
            if result := found():
                return result
            time.sleep(0.02)
        logs = {p.name: p.read_text(errors="replace")[-3000:] for p in self.folder.glob("*.log")}
        message = f"waited {timeout_s} s in vain\n" + "\n".join(map("\n".join, logs.items()))
        raise AssertionError(message)

    def _worker_listens(self) -> bool:
        return any(client.get("cmd") == "brpop" for client in self.client.client_list())  # type: ignore[union-attr]

    def stop(self) -> None:
        """End every process."""
        for process in self.processes.values():
            process.kill()
            process.wait(10)
        self.client.close()


@contextmanager
def running_stack(
    valkey: ValkeyServer, folder: Path, *, models: ModelServices | None = None, **settings: str
) -> Generator[Stack]:
    """A stack on an emptied server; processes are started by the test."""
    models = models or ModelServices()
    redis.Redis.from_url(valkey.url).flushall()
    with serving(models) as url:
        environment = {
            "ORCHESTRATOR_REDIS_URL": valkey.url,
            "ORCHESTRATOR_PLANNER_URL": url,
            "ORCHESTRATOR_CRITIC_URL": url,
            "ORCHESTRATOR_GENERATORS": json.dumps({"sketchbook": url}),
            "ORCHESTRATOR_STORAGE__ENDPOINT": "127.0.0.1:9",
            "ORCHESTRATOR_LEASE_S": "1.5",
            "ORCHESTRATOR_REAP_INTERVAL_S": "0.5",
            "ORCHESTRATOR_RESEND_AFTER_S": "0.5",
            "ORCHESTRATOR_ALLOW_PRIVATE_WEBHOOKS": "true",
            "ORCHESTRATOR_CONCURRENCY": "8",
            "ORCHESTRATOR_LOG_LEVEL": "INFO",
            **{f"ORCHESTRATOR_{name.upper()}": value for name, value in settings.items()},
        }
        stack = Stack(valkey.url, models, environment, folder)
        try:
            yield stack
        finally:
            stack.stop()
