"""One supervised child: real, tiny processes; the clock is given."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from services.launcher.errors import StackFailedError
from services.launcher.processes import DEATHS_ALLOWED, Child, ChildSpec, describe_exit

SLEEPS = (sys.executable, "-S", "-c", "import time; time.sleep(60)")
DIES = (sys.executable, "-S", "-c", "print('no luck'); raise SystemExit(3)")
IGNORES_TERM = (
    *(sys.executable, "-S", "-c"),
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); "
    "time.sleep(60)",
)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_child(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Child]]:
    made: list[Child] = []

    def make(
        command: tuple[str, ...],
        *,
        stop_timeout_s: float = 5.0,
        broken: Callable[[], bool] = lambda: False,
    ) -> Child:
        spec = ChildSpec(
            broken=broken,
            name="worker",
            command=command,
            environment=dict(os.environ),
            ready=lambda: True,
            stop_timeout_s=stop_timeout_s,
        )
        made.append(Child(spec, log=tmp_path / "worker.log", now=clock))
        return made[-1]

    yield make
    for child in made:
        child.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def end_of(child: Child) -> None:
    assert child.process is not None
    child.process.wait(10)


def test_a_started_child_becomes_ready_and_stops_when_told(
    make_child: Callable[..., Child],
) -> None:
    child = make_child(SLEEPS)
    child.start()
    pid = child.pid
    assert pid is not None
    assert child.tend() == "worker is ready"
    assert child.tend() is None
    child.stop()
    assert not psutil.pid_exists(pid)


def test_a_killed_child_is_started_again_after_a_pause(
    make_child: Callable[..., Child], clock: Clock
) -> None:
    child = make_child(SLEEPS)
    child.start()
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    end_of(child)
    assert "signal SIGKILL" in (child.tend() or "")
    assert child.tend() is None
    clock.now_s += 0.3
    assert child.tend() == "worker started again"
    assert child.restarts == 1
    assert child.pid is not None


def test_a_child_that_calls_itself_broken_is_killed_and_started_again(
    make_child: Callable[..., Child], clock: Clock
) -> None:
    child = make_child(SLEEPS, broken=lambda: True)
    child.start()
    child.tend()
    assert child.tend() is None
    assert "signal SIGKILL" in (child.tend() or "")
    clock.now_s += 0.3
    assert child.tend() == "worker started again"


def test_pauses_grow_and_the_sixth_death_within_a_minute_is_final(
    make_child: Callable[..., Child], clock: Clock
) -> None:
    child = make_child(DIES)
    child.start()
    pauses_s: list[float] = []
    for _ in range(DEATHS_ALLOWED):
        end_of(child)
        line = child.tend() or ""
        pauses_s.append(float(line.split()[-2]))
        clock.now_s += pauses_s[-1]
        child.tend()
    end_of(child)
    with pytest.raises(StackFailedError, match="no luck"):
        child.tend()
    assert pauses_s == [0.25, 0.5, 1.0, 2.0, 4.0]


def test_deaths_long_ago_are_forgiven(make_child: Callable[..., Child], clock: Clock) -> None:
    child = make_child(DIES)
    child.start()
    for _ in range(2 * DEATHS_ALLOWED):
        end_of(child)
        assert "exit code 3" in (child.tend() or "")
        clock.now_s += 30
        child.tend()
    assert child.restarts == 2 * DEATHS_ALLOWED


def test_a_child_that_ignores_the_request_to_stop_is_killed(
    make_child: Callable[..., Child],
) -> None:
    child = make_child(IGNORES_TERM, stop_timeout_s=0.2)
    child.start()
    pid = child.pid
    assert pid is not None
    wait_for(lambda: "up" in child.log_tail())
    child.stop()
    assert not psutil.pid_exists(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="prctl exists on Linux only")
def test_children_die_with_a_killed_launcher(tmp_path: Path) -> None:
    program = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from services.launcher.processes import Child, ChildSpec\n"
        "spec = ChildSpec('x', (sys.executable, '-c', 'import time; time.sleep(60)'),"
        " dict(os.environ), lambda: True)\n"
        "child = Child(spec, log=Path(sys.argv[1]) / 'x.log')\n"
        "child.start()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    launcher = psutil.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=-1)
    with launcher:
        pid = int(launcher.stdout.readline())
        assert psutil.pid_exists(pid)
        launcher.kill()
    wait_for(lambda: not _alive(pid))


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_exits_are_described_in_words() -> None:
    assert describe_exit(-9) == "signal SIGKILL"
    assert describe_exit(1) == "exit code 1"
