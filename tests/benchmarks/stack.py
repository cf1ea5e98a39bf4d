"""The stack to be measured: everything real but the models, which answer at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from services.launcher import servers, services
from services.launcher.data_folder import DataFolder
from services.launcher.ports import HOST, remembered_ports
from services.launcher.processes import ChildSpec
from services.launcher.settings import LauncherSettings
from services.launcher.stack import Stack, StackPlan

NO_LIMITS = {
    "GATEWAY_REQUESTS_PER_MINUTE": "10000000",
    "GATEWAY_CREATIONS_PER_MINUTE": "10000000",
    "GATEWAY_MAX_IN_FLIGHT": "1000",
    "GATEWAY_KEY_MAX_IN_FLIGHT": "1000",
    "ORCHESTRATOR_MAX_IN_FLIGHT": "1000",
}
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BenchStack:
    """A running stack with instant models."""

    stack: Stack
    url: str
    models_url: str
    key: str
    redis_url: str
    environment: dict[str, str]
    """Of the orchestrator, to build its parts in this process too."""

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time each process has used so far."""
        used: dict[str, float] = {}
        for name, child in self.stack.children.items():
            times = psutil.Process(child.pid).cpu_times()
            used[name] = times.user + times.system
        return used

    def memory_mib(self) -> dict[str, int]:
        """Resident memory of each process."""
        pids = {name: child.pid for name, child in self.stack.children.items()}
        return {
            name: psutil.Process(pid).memory_info().rss // _MIB
            for name, pid in pids.items()
            if pid is not None
        }


@contextmanager
def running(path: Path) -> Generator[BenchStack]:
    """The stack for the length of the block; must be used in the main thread."""
    folder = DataFolder(path)
    folder.create()
    names = ("valkey", *servers.SEAWEED_PORTS, "planner", "gateway")
    ports = remembered_ports(folder.ports, names)
    ports |= {"critic": ports["planner"], "generator": ports["planner"]}
    wiring = services.Wiring(ports, folder.credentials(), LauncherSettings())
    worker = _unlimited(services.orchestrator("worker", wiring))
    gateway = services.gateway(wiring, key_file=folder.key)
    specs = (
        servers.valkey(folder, ports, wiring.credentials),
        servers.seaweedfs(folder, ports, wiring.credentials),
        _instant_models(wiring),
        worker,
        _unlimited(services.orchestrator("reaper", wiring)),
        _unlimited(gateway),
    )
    redis_url = servers.redis_url(ports, wiring.credentials)
    stack = Stack(folder, StackPlan(specs, url="", redis_url=redis_url), tell=_quiet)
    try:
        stack.wait_until_ready(60, stopping=lambda: False)
        key = folder.key.read_text().strip()
        orchestrator = {k: v for k, v in worker.environment.items() if k.startswith("ORCHESTR")}
        urls = (wiring.url("gateway"), wiring.url("planner"))
        yield BenchStack(stack, *urls, key, redis_url, orchestrator)
    finally:
        stack.stop()


def _unlimited(spec: ChildSpec) -> ChildSpec:
    return replace(spec, environment={**spec.environment, **NO_LIMITS})


def _instant_models(wiring: services.Wiring) -> ChildSpec:
    url = wiring.url("planner")
    port = str(wiring.ports["planner"])
    return ChildSpec(
        name="models",
        command=(
            *(sys.executable, "-m", "uvicorn", "--factory"),
            "tests.benchmarks.instant_models:make_app",
            *("--host", HOST, "--port", port, "--log-level", "warning", "--no-access-log"),
        ),
        environment=dict(os.environ),
        ready=lambda: services.answers_ready(url),
        address=url,
    )


def _quiet(_line: str) -> None:
    """Nobody is there to be told."""
