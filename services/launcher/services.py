"""How to start each service of ours: command, environment, readiness.

Settings reach a service through its environment only. What connects the parts (addresses,
passwords) is decided here; everything else a person sets wins, so that
``PLANNER_ENGINE=openai PLANNER_BASE_URL=... interleave up`` runs another planner.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import redis

from services.launcher.data_folder import Credentials
from services.launcher.ports import HOST
from services.launcher.processes import ChildSpec
from services.launcher.servers import BUCKET, REGION, redis_url
from services.launcher.settings import LauncherSettings

MODEL_SERVICES = ("planner", "critic", "generator")
GENERATOR_NAME = "sketchbook"
METRICS_PORTS = {"worker": "worker_metrics", "reaper": "reaper_metrics"}
"""Names of the ports on which these tell what they do; they serve nothing else."""
_MODEL_NICENESS = 5
_GOOD = 200
_BROKEN = 503
_ALWAYS = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the services must know about each other."""

    ports: Mapping[str, int]
    credentials: Credentials
    settings: LauncherSettings

    def url(self, service: str) -> str:
        """Address of one of our HTTP services."""
        return f"http://{HOST}:{self.ports[service]}"

    def storage(self, prefix: str) -> dict[str, str]:
        """Environment that leads a service to the S3 server."""
        values = {
            "ENDPOINT": f"{HOST}:{self.ports['s3']}",
            "ACCESS_KEY": self.credentials.s3_access_key,
            "SECRET_KEY": self.credentials.s3_secret_key,
            "BUCKET": BUCKET,
            "REGION": REGION,
        }
        return {f"{prefix}_STORAGE__{name}": value for name, value in values.items()}


def environment(defaults: Mapping[str, str], wired: Mapping[str, str]) -> dict[str, str]:
    """A child's environment: ours over the caller's over the defaults."""
    return {**defaults, **os.environ, **_ALWAYS, **wired}


def model_service(name: str, wiring: Wiring) -> ChildSpec:
    """Planner, critic or generator with its part of the model pack."""
    prefix = name.upper()
    folder = str(wiring.settings.models.resolve() / name)
    defaults = {f"{prefix}_MODEL": folder}
    if name == "generator":
        defaults |= {"GENERATOR_BACKEND": "diffusers", "GENERATOR_NAME": GENERATOR_NAME}
    else:
        defaults |= {f"{prefix}_ENGINE": "qwen3_vl", f"{prefix}_PACK": "sketchbook"}
    if name == "planner":
        defaults["PLANNER_REASK_STYLE"] = "resample"
    wired = environment(defaults, wiring.storage(prefix))
    return _http_service(name, wiring, environment=wired, nice=_MODEL_NICENESS)


def gateway(wiring: Wiring, *, key_file: Path) -> ChildSpec:
    """The public API; it needs both servers, and writes the first API key into ``key_file``."""
    wired = {
        "GATEWAY_REDIS_URL": redis_url(wiring.ports, wiring.credentials),
        "GATEWAY_PLANNER_URL": wiring.url("planner"),
        "GATEWAY_GENERATORS": _generators(wiring),
        "GATEWAY_BOOTSTRAP_KEY_FILE": str(key_file.resolve()),
        **wiring.storage("GATEWAY"),
    }
    return _http_service(
        "gateway",
        wiring,
        environment=environment({}, wired),
        after=("valkey", "seaweedfs"),
    )


def orchestrator(role: str, wiring: Wiring) -> ChildSpec:
    """The Celery worker or the reaper."""
    wired = {
        "ORCHESTRATOR_REDIS_URL": redis_url(wiring.ports, wiring.credentials),
        "ORCHESTRATOR_PLANNER_URL": wiring.url("planner"),
        "ORCHESTRATOR_CRITIC_URL": wiring.url("critic"),
        "ORCHESTRATOR_GENERATORS": _generators(wiring),
        **wiring.storage("ORCHESTRATOR"),
    }
    port = wiring.ports.get(METRICS_PORTS[role])
    if port is not None:
        wired |= {"ORCHESTRATOR_METRICS_PORT": str(port)}
    client = redis.Redis.from_url(wired["ORCHESTRATOR_REDIS_URL"], socket_timeout=1.0)
    return ChildSpec(
        name=role,
        command=(sys.executable, "-m", "services.orchestrator", role),
        environment=environment({}, wired),
        ready=(lambda: _takes_messages(client)) if role == "worker" else (lambda: True),
        address="" if port is None else f"http://{HOST}:{port}",
        after=("valkey", "seaweedfs"),
        stop_timeout_s=5.0,
    )


def _takes_messages(client: redis.Redis) -> bool:
    """Whether some worker waits on the queues: it does so with a blocking pop."""
    try:
        return any(each.get("cmd") == "brpop" for each in client.client_list())
    except redis.RedisError:
        return False


def _generators(wiring: Wiring) -> str:
    name = os.environ.get("GENERATOR_NAME", GENERATOR_NAME)
    return json.dumps({name: wiring.url("generator")})


def _http_service(
    name: str,
    wiring: Wiring,
    *,
    environment: Mapping[str, str],
    after: tuple[str, ...] = (),
    nice: int = 0,
) -> ChildSpec:
    port = str(wiring.ports[name])
    url = wiring.url(name)
    return ChildSpec(
        name=name,
        command=(sys.executable, "-m", *_served(name), "--host", HOST, "--port", port),
        environment=environment,
        ready=lambda: answers_ready(url),
        broken=lambda: says_broken(url),
        address=url,
        after=after,
        nice=nice,
        stop_timeout_s=5.0,
    )


def _served(name: str) -> tuple[str, ...]:
    """The gateway brings a server that strangers may meet; the others are met by us alone."""
    if name == "gateway":
        return ("services.gateway", "serve")
    app = f"services.{name}.app:make_app"
    return ("uvicorn", "--factory", app, "--no-access-log", "--timeout-graceful-shutdown", "3")


def answers_ready(url: str) -> bool:
    """Whether ``/readyz`` says yes."""
    return _status_of(f"{url}/readyz", timeout_s=2.0) == _GOOD


def says_broken(url: str) -> bool:
    """Whether ``/healthz`` answers that the process must be started anew; silence is no answer."""
    return _status_of(f"{url}/healthz", timeout_s=1.0) == _BROKEN


def _status_of(url: str, *, timeout_s: float) -> int | None:
    """The status of a GET, or None without an answer.

    Asked all the time, so with the cheapest client there is.
    """
    address = urlsplit(url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=timeout_s)
    try:
        connection.request("GET", address.path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def missing_models(settings: LauncherSettings) -> list[Path]:
    """Folders of the model pack that are needed but not there."""
    wanted = [name for name in MODEL_SERVICES if f"{name.upper()}_MODEL" not in os.environ]
    folders = [settings.models / name for name in wanted]
    return [folder for folder in folders if not folder.is_dir()]
