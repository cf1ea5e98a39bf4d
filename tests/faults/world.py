"""The stack under attack: real servers and services, scripted models, proxies in between."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import redis

from services.launcher import servers, services
from services.launcher.data_folder import DataFolder
from services.launcher.ports import HOST, remembered_ports
from services.launcher.processes import ChildSpec
from services.launcher.settings import LauncherSettings
from tests.faults.crew import Crew
from tests.faults.ledger import Entry, Ledger
from tests.faults.messages import Messages
from tests.faults.points import Points
from tests.faults.proxy import Proxy
from tests.faults.redis_tap import RedisTap
from tests.faults.wire import Wire

WORKERS = ("worker-1", "worker-2")
MODELS = ("planner", "critic", "generator")
LEASE_S = 4.0
REAP_S = 1.0
RESEND_S = 1.0
SILENCE_S = 4.0
RETRY_WINDOW_S = 45.0
_READY_S = 120.0
_ORCHESTRATOR = {
    "ORCHESTRATOR_LEASE_S": f"{LEASE_S:g}",
    "ORCHESTRATOR_REAP_INTERVAL_S": f"{REAP_S:g}",
    "ORCHESTRATOR_RESEND_AFTER_S": f"{RESEND_S:g}",
    "ORCHESTRATOR_TIMEOUTS__SILENCE_S": f"{SILENCE_S:g}",
    "ORCHESTRATOR_TIMEOUTS__TOTAL_S": "10",
    "ORCHESTRATOR_RETRY_WINDOW_S": f"{RETRY_WINDOW_S:g}",
    "ORCHESTRATOR_CONCURRENCY": "16",
    "ORCHESTRATOR_MAX_IN_FLIGHT": "1000",
    "ORCHESTRATOR_WEBHOOK_TIMEOUT_S": "3",
    "ORCHESTRATOR_ALLOW_PRIVATE_WEBHOOKS": "true",
}
_GATEWAY = {
    "GATEWAY_REQUESTS_PER_MINUTE": "10000000",
    "GATEWAY_CREATIONS_PER_MINUTE": "10000000",
    "GATEWAY_ALLOW_HTTP_URLS": "true",
    "GATEWAY_ALLOW_PRIVATE_URLS": "true",
    "GATEWAY_MAX_IN_FLIGHT": "1000",
    "GATEWAY_KEY_MAX_IN_FLIGHT": "1000",
}


@dataclass(frozen=True, slots=True)
class World:
    """Everything a scenario may touch."""

    folder: DataFolder
    crew: Crew
    wire: Wire
    points: Points
    messages: Messages
    s3: Proxy
    url: str
    redis_url: str

    @property
    def key(self) -> str:
        """The API key made at the first start."""
        return self.folder.key.read_text().strip()

    def redis(self) -> redis.Redis:
        """A connection of our own to Valkey."""
        return redis.Redis.from_url(self.redis_url, socket_timeout=5.0)

    def ledger(self) -> list[Entry]:
        """What the model services saw so far."""
        files = (self.folder.path / f"{name}.ledger" for name in MODELS)
        return [entry for file in files for entry in Ledger(file).entries()]

    def new_key(self, name: str, *options: str) -> str:
        """Another API key of the same tenant, as an operator makes one."""
        command = (sys.executable, "-m", "services.gateway", "keys", "create", "--name", name)
        made = subprocess.run(
            (*command, *options),
            env=dict(self.crew["gateway"].spec.environment),
            capture_output=True,
            text=True,
            check=True,
        )
        return made.stdout.strip().splitlines()[-1]

    def kill_caller(self, port: str) -> None:
        """Kill the process of a worker whose connection comes from this local port."""
        self.crew.kill_owner_of(int(port))


@contextmanager
def running_world(path: Path) -> Generator[World]:
    """The stack for the length of the block; only in the main thread."""
    folder = DataFolder(path)
    folder.create()
    own = ("control", "s3_proxy", *(f"{name}_redis" for name in WORKERS))
    ports = remembered_ports(
        folder.ports, ("valkey", *servers.SEAWEED_PORTS, *MODELS, "gateway", *own)
    )
    points, messages = Points(), Messages()
    s3 = Proxy(ports["s3_proxy"], ports["s3"])
    proxies = [s3, *(_redis_proxy(name, ports, points, messages) for name in WORKERS)]
    wire = Wire(ports["control"], proxies, points)
    crew = Crew(_specs(folder, ports), folder.path / "logs")
    wiring = services.Wiring(ports, folder.credentials(), LauncherSettings())
    redis_url = servers.redis_url(ports, wiring.credentials)
    wire.start()
    try:
        crew.wait_until_ready(("valkey", "seaweedfs"), timeout_s=_READY_S)
        crew.wait_until_ready((*MODELS, "gateway", *WORKERS, "reaper"), timeout_s=_READY_S)
        yield World(folder, crew, wire, points, messages, s3, wiring.url("gateway"), redis_url)
    finally:
        crew.end()
        wire.stop()


def _redis_proxy(
    worker: str, ports: Mapping[str, int], points: Points, messages: Messages
) -> Proxy:
    tags: dict[bytes, str] = {}
    return Proxy(
        ports[f"{worker}_redis"],
        ports["valkey"],
        tap=lambda: RedisTap(points, worker, tags, messages=messages),
    )


def _specs(folder: DataFolder, ports: Mapping[str, int]) -> tuple[ChildSpec, ...]:
    direct = services.Wiring(ports, folder.credentials(), LauncherSettings())
    # Whoever uses the bucket goes through the proxy; the server itself listens on its own port.
    wiring = replace(direct, ports={**ports, "s3": ports["s3_proxy"]})
    gateway = services.gateway(wiring, key_file=folder.key)
    reaper = services.orchestrator("reaper", wiring)
    return (
        servers.valkey(folder, ports, direct.credentials),
        servers.seaweedfs(folder, ports, direct.credentials),
        *(_model(name, wiring, folder) for name in MODELS),
        *(_worker(name, wiring, ports) for name in WORKERS),
        replace(reaper, environment={**reaper.environment, **_ORCHESTRATOR}),
        replace(gateway, environment={**gateway.environment, **_GATEWAY}),
    )


def _worker(name: str, wiring: services.Wiring, ports: Mapping[str, int]) -> ChildSpec:
    spec = services.orchestrator("worker", wiring)
    proxied = {**ports, "valkey": ports[f"{name}_redis"]}
    address = {"ORCHESTRATOR_REDIS_URL": servers.redis_url(proxied, wiring.credentials)}
    return replace(spec, name=name, environment={**spec.environment, **_ORCHESTRATOR, **address})


def _model(name: str, wiring: services.Wiring, folder: DataFolder) -> ChildSpec:
    url = wiring.url(name)
    environment = {
        **os.environ,
        **(wiring.storage("GENERATOR") if name == "generator" else {}),
        "GENERATOR_LOG_LEVEL": "WARNING",
        "FAULTS_FOLDER": str(folder.path),
        "FAULTS_CONTROL": f"http://{HOST}:{wiring.ports['control']}",
    }
    return ChildSpec(
        name=name,
        command=(
            *(sys.executable, "-m", "uvicorn", "--factory", f"tests.faults.models:{name}"),
            *("--host", HOST, "--port", str(wiring.ports[name])),
            *("--log-level", "warning", "--no-access-log"),
        ),
        environment=environment,
        ready=lambda: services.answers_ready(url),
        address=url,
    )
