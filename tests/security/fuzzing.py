"""schemathesis against the real gateway: API document in, defects out.

``python -m tests.security.fuzzing`` runs more of it (``make fuzz``; ``EXAMPLES=``, ``SEED=``,
``ONLY=`` a pattern of paths).
The gateway is a real one over HTTP on Valkey and SeaweedFS, with a real worker on scripted
models. All of them are behind the wall, and callers' URLs are fetched by a transport that
connects to nobody.

What would hang is bounded by the gateway's own settings: an event stream ends after half a second,
a wait (``?wait=``, ``Prefer: wait``) after one, a call of the OpenAI-shaped doors after three.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from services.gateway.settings import GatewaySettings
from services.gateway.wiring import open_parts
from tests.fakes.model_services import serving
from tests.security.belongings import belongings_of
from tests.security.conftest import PUBLIC_ADDRESS
from tests.security.drawing_services import DrawingServices
from tests.security.gateway import Gateway, served
from tests.security.walled_process import walled, walled_environment
from tests.servers import S3Server, ValkeyServer, running_s3, running_valkey

_CONFIG = Path(__file__).parent / "schemathesis.toml"
_PLANS = 6
_PLANNED_S = 60.0


_COUNTED = re.compile(r"^interleave_http_requests_total\{(.*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """How a run ended."""

    clean: bool
    output: str
    seconds: float
    answers: dict[str, Counter[int]]
    """Operation -> how often it answered with each status."""

    @property
    def never_good(self) -> set[str]:
        """Operations that the fuzzer never got a good answer of."""
        good = range(200, 300)
        return {name for name, counts in self.answers.items() if not set(counts) & set(good)}


@contextmanager
def fuzzable(valkey: ValkeyServer, s3: S3Server, folder: Path) -> Generator[Gateway]:
    """A gateway and a worker that carry out whatever they are told, and quickly."""
    with serving(DrawingServices(storage=s3.storage)) as models:
        settings = GatewaySettings(
            redis_url=valkey.url,
            storage=s3.storage,
            planner_url=models,
            generators={"sketchbook": models},
            bootstrap_key_file=folder / "key",
            requests_per_minute=10_000_000,
            creations_per_minute=10_000_000,
            max_wait_s=1,
            max_stream_s=0.5,
            max_answer_s=3,
            fetch_timeout_s=2,
        )
        worker = _worker_settings(settings, models)
        parts = partial(
            open_parts,
            resolver=lambda _host, _port: [PUBLIC_ADDRESS],
            transport=httpx.MockTransport(_nobody_there),
        )
        command = ("services.orchestrator", "worker")
        with (
            walled(folder / "worker.log", *command, settings=worker),
            served(settings, parts) as gateway,
        ):
            yield gateway


def _nobody_there(request: httpx.Request) -> httpx.Response:
    message = "the fuzzed gateway connects to nobody"
    raise httpx.ConnectError(message, request=request)


def _worker_settings(settings: GatewaySettings, models: str) -> dict[str, str]:
    storage = settings.storage
    return {
        "ORCHESTRATOR_REDIS_URL": settings.redis_url,
        "ORCHESTRATOR_STORAGE__ENDPOINT": storage.endpoint,
        "ORCHESTRATOR_STORAGE__SECRET_KEY": storage.secret_key.get_secret_value(),
        "ORCHESTRATOR_PLANNER_URL": models,
        "ORCHESTRATOR_CRITIC_URL": models,
        "ORCHESTRATOR_GENERATORS": json.dumps({"sketchbook": models}),
        "ORCHESTRATOR_LOG_LEVEL": "WARNING",
    }


def fuzz(
    gateway: Gateway,
    folder: Path,
    *,
    examples: int,
    seed: int,
    only: str = ".",
    longest_s: float = 1800.0,
) -> Fuzzed:
    """Run all phases: examples, coverage, fuzzing, stateful."""
    owner = belongings_of(gateway, "ten_fuzz")
    planned = _awaiting_approval(gateway, owner.key)
    ids = {
        "trajectory_id": [owner.trajectory_id],
        "/plan": planned[:2],
        ":approve": planned[2:4],
        ":cancel": planned[4:],
        "file_id": [owner.upload_id, owner.picture_id],
        "endpoint_id": [owner.endpoint_id],
        "delivery_id": [owner.delivery_id],
        "number": ["1"],
    }
    before = _answers(gateway)
    started = time.monotonic()
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("st")), "--config-file", str(_CONFIG)),
            *(
                "run",
                f"{gateway.url}/openapi.json",
                "--header",
                f"Authorization:Bearer {owner.key}",
            ),
            *("--include-path-regex", only),
            *("--max-examples", str(examples), "--seed", str(seed)),
            "--no-color",
        ],
        env=walled_environment(
            SCHEMATHESIS_HOOKS="tests.security.fuzz_hooks", FUZZ_IDS=json.dumps(ids)
        ),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=longest_s,
    )
    seconds = time.monotonic() - started
    answers = {name: counts - before[name] for name, counts in _answers(gateway).items()}
    return Fuzzed(done.returncode == 0, done.stdout + done.stderr, seconds, answers)


def _answers(gateway: Gateway) -> defaultdict[str, Counter[int]]:
    """What the gateway's own metrics say of the operations in its document."""
    counted: defaultdict[str, Counter[int]] = defaultdict(Counter)
    document = httpx.get(f"{gateway.url}/openapi.json").json()["paths"]
    for labels, count in _COUNTED.findall(httpx.get(f"{gateway.url}/metrics").text):
        found = dict(_LABEL.findall(labels))
        if found["method"].lower() in document.get(found["route"], {}):
            name = f"{found['method']} {found['route']}"
            counted[name][int(found["status"])] += int(float(count))
    return counted


def _awaiting_approval(gateway: Gateway, key: str) -> list[str]:
    """Trajectories with a plan to edit and to approve."""
    body = {"prompt": "a seed", "approval": "plan", "steps": 1}
    with gateway.client(key) as client:
        made = [client.post("/v1/trajectories", json=body).json()["id"] for _ in range(_PLANS)]
        give_up_at = time.monotonic() + _PLANNED_S
        while any(_status(client, each) != "awaiting_approval" for each in made):
            assert time.monotonic() < give_up_at, "the worker plans nothing"
            time.sleep(0.1)
    return made


def _status(client: httpx.Client, trajectory_id: str) -> str:
    return str(client.get(f"/v1/trajectories/{trajectory_id}").json()["status"])


def main() -> int:
    """A longer run than the one among the tests."""
    examples, seed = int(os.environ.get("EXAMPLES", "50")), int(os.environ.get("SEED", "1"))
    with (
        tempfile.TemporaryDirectory() as name,
        running_valkey(Path(name) / "valkey") as valkey,
        running_s3(Path(name) / "s3") as s3,
        fuzzable(valkey, s3, Path(name)) as gateway,
    ):
        only = os.environ.get("ONLY") or "."
        result = fuzz(gateway, Path(name), examples=examples, seed=seed, only=only)
    lines = [f"{name}: {dict(sorted(each.items()))}" for name, each in result.answers.items()]
    sys.stdout.write("\n".join([result.output, *lines, f"{result.seconds:.0f} s", ""]))
    return 0 if result.clean else 1


if __name__ == "__main__":
    sys.exit(main())
