"""Benchmarks on a running stack: small copies, a judge that looks, cuts in the middle."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from services.trainer.benchmarks.records import Report
from services.trainer.benchmarks.report import load
from tests.e2e.local_stack import LocalStack
from tests.servers import free_ports

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_COMMAND = (sys.executable, "-m", "services.trainer.benchmarks.cli")
_ENVIRONMENT = {"COLUMNS": "200", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
_LARGEST_FILE_BYTES = 4096
_START_S = 120.0
_ITEMS = 3


def _evaluate(*arguments: str, code: int = 0, before: Callable[[], None] | None = None) -> str:
    done = subprocess.run(
        (*_COMMAND, *arguments), check=False, capture_output=True, text=True, timeout=300,
        env=os.environ | _ENVIRONMENT, preexec_fn=before,
    )  # fmt: skip
    assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    return done.stdout


@contextmanager
def _looking_judge() -> Generator[tuple[str, ...]]:
    """A judge as a process of its own; gives the options that name it."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}/v1"
    command = (*_COMMAND, "judge", "--port", str(port))
    with subprocess.Popen(command, env=os.environ | _ENVIRONMENT, stdout=subprocess.DEVNULL) as run:
        try:
            _wait_until(lambda: _answers(f"{url}/models"))
            yield "--judge-url", url, "--judge-model", "looking"
        finally:
            run.kill()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _wait_until(holds: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + _START_S
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.1)


def _small_files_only() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE_BYTES, _LARGEST_FILE_BYTES))


def _results(out: Path) -> list[Path]:
    return sorted(out.glob("items/*/result.json"))


def _interrupted(command: tuple[str, ...], out: Path) -> str:
    """What a run says that is stopped by Ctrl-C after its first result."""
    with subprocess.Popen(
        command, env=os.environ | _ENVIRONMENT, stdout=subprocess.PIPE, text=True
    ) as run:
        _wait_until(lambda: bool(_results(out)) or run.poll() is not None)
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=60)
    assert run.returncode == 1, said
    return said


def _mean(report: Report, name: str) -> float:
    (mean,) = (line.mean for line in report.lines if line.name == name)
    assert mean is not None
    return mean


def test_benchmarks_survive_cuts_and_show_what_the_full_system_is_worth(
    stack: LocalStack, tmp_path: Path
) -> None:
    connection = stack.connection()
    service = ("--server", connection.url, "--api-key", connection.key.get_secret_value())
    _evaluate("samples", "--out", str(tmp_path))

    def asked(name: str, data: str, system: str) -> tuple[str, ...]:
        out = str(tmp_path / f"{name}-{system}")
        return (name, "--data", str(tmp_path / data), "--out", out, "--system", system, *service)

    ueval, alone = asked("ueval", "UEval", "full"), asked("ueval", "UEval", "generator")
    few = ("--limit", str(_ITEMS))

    said = _evaluate(*alone, *few, code=1, before=_small_files_only)
    assert "Stopped: cannot write" in said
    assert f"{_ITEMS} items to run: about" in said

    said = _interrupted((*_COMMAND, *ueval, *few, "--concurrency", "1"), tmp_path / "ueval-full")
    assert "Stopped; the same command goes on from here." in said
    finished = len(_results(tmp_path / "ueval-full"))
    assert 1 <= finished < _ITEMS

    with _looking_judge() as judge:
        _evaluate(*alone, *few, *judge)
        against = ("--against", str(tmp_path / "ueval-generator"))
        said = _evaluate(*ueval, *few, *judge, *against)
        assert f"{_ITEMS - finished} items to run: about" in said
        _evaluate(*asked("rise", "RISEBench", "generator"), *judge)
        _evaluate(*asked("rise", "RISEBench", "full"), *judge,
                  "--against", str(tmp_path / "rise-generator"))  # fmt: skip

    for name, line in (("ueval", "mean of items"), ("rise", "percent")):
        full, generator = (load(tmp_path / f"{name}-{system}") for system in ("full", "generator"))
        assert full.counts["not run"] == full.counts["items not scored"] == 0
        assert generator.counts["not run"] == generator.counts["items not scored"] == 0
        assert _mean(full, line) > _mean(generator, line)
        _shows_both(tmp_path / f"{name}-full" / "compare")
    answers = json.loads((tmp_path / "ueval-full/layout/ueval.json").read_text())
    assert len({answer["id"] for answer in answers}) == _ITEMS
    assert len(list((tmp_path / "rise-full/layout/images").glob("*_reasoning/*_1.png"))) == 4


def _shows_both(home: Path) -> None:
    page = (home / "page-1.html").read_text()
    pictures = [home / name for name in re.findall(r'<img src="([^"]+)"', page)]
    assert {"generator", "full"} <= set(re.findall(r"<h3>(\w+)</h3>", page))
    assert pictures
    assert all(path.is_file() for path in pictures)
    assert (home / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert "| generator (judge looking) | full (judge looking) |" in (home / "table.md").read_text()
