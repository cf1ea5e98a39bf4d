"""A real vLLM server with a tiny model, and agent services that talk to it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from shared.llm.openai_chat import OpenAIChatEngine, OpenAISettings
from tests.servers import HOST, ServerProcess, free_ports
from tests.tiny.qwen3_vl import save_tiny_qwen3_vl

MODEL = "tiny"
START_TIMEOUT_S = 400.0


@dataclass(frozen=True, slots=True)
class VllmServer:
    """A running server."""

    base_url: str

    def engine(self, **extra_body: object) -> OpenAIChatEngine:
        """A new engine on it; close it."""
        return OpenAIChatEngine(
            OpenAISettings(base_url=self.base_url, model=MODEL, extra_body=extra_body)
        )

    def running(self) -> int:
        """How many requests it is working on, by its own metrics."""
        text = httpx.get(self.base_url.removesuffix("/v1") + "/metrics", timeout=10).text
        values = [
            float(line.split()[-1])
            for line in text.splitlines()
            if line.startswith("vllm:num_requests_running")
        ]
        assert values, "vLLM no longer has this metric"
        return int(sum(values))


@pytest.fixture(scope="session")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    """The server, shared by all tests of this tier."""
    python = os.environ.get("VLLM_PYTHON")
    if not python:
        pytest.skip("started by `make test-vllm`, which makes vLLM's environment")
    folder = tmp_path_factory.mktemp("vllm")
    port = free_ports(1)[0]
    base_url = f"http://{HOST}:{port}/v1"
    server = ServerProcess(
        command=_command(python, save_tiny_qwen3_vl(folder / "model"), port),
        folder=folder,
        ready=lambda: _answers(base_url),
        timeout_s=START_TIMEOUT_S,
    )
    server.start()
    try:
        yield VllmServer(base_url)
    finally:
        server.stop()
        sys.stderr.write(f"vLLM log: {server.log}\n")


def _command(python: str, model: Path, port: int) -> list[str]:
    options = {
        "model": str(model), "served-model-name": MODEL, "host": HOST, "port": str(port),
        "dtype": "float32", "max-model-len": "4096", "max-num-seqs": "4",
        "limit-mm-per-prompt": '{"image": 4, "video": 0}',
        # A random model would fill a JSON answer with white space for ever.
        "structured-outputs-config": '{"backend": "xgrammar", "disable_any_whitespace": true}',
    }  # fmt: skip
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [
        "env", "VLLM_CPU_KVCACHE_SPACE=1", "VLLM_NO_USAGE_STATS=1", "VLLM_TARGET_DEVICE=cpu",
        "OMP_NUM_THREADS=1", "VLLM_CPU_OMP_THREADS_BIND=nobind",
        python, "-m", "vllm.entrypoints.openai.api_server", "--enforce-eager", *flags,
    ]  # fmt: skip


def _answers(base_url: str) -> bool:
    try:
        return httpx.get(f"{base_url}/models", timeout=5).is_success
    except httpx.HTTPError:
        return False
