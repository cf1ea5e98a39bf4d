"""Several processes: starting them, and making sure that they are as many as was asked.

Some launchers quietly run one process where two were asked for; a run with another number of
ranks learns something else, so the number is checked. Not here: training.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.trainer.benchmarks.records import BenchmarkDataError
from shared.tether import end_with_parent, tether


@dataclass(frozen=True, slots=True)
class Ranks:
    """How many processes train, and where they meet."""

    per_node: int = 1
    nodes: int = 1
    node: int = 0
    """This node's number."""
    meeting: str = ""
    """Host and port of node 0, for several nodes."""
    launch_file: Path | None = None
    """An accelerate file, such as ``deploy/training/fsdp2.yaml``."""

    @property
    def total(self) -> int:
        """Over all nodes."""
        return self.per_node * self.nodes

    @property
    def alone(self) -> bool:
        """Whether this process can do it by itself."""
        return self.total == 1 and self.launch_file is None

    def command(self, module: str, arguments: Sequence[str]) -> tuple[str, ...]:
        """What starts this node's processes.

        Raises:
            BenchmarkDataError: Several nodes need a place to meet.
        """
        host, _, port = self.meeting.partition(":")
        if self.nodes > 1 and not (host and port):
            raise BenchmarkDataError("several nodes need --meeting HOST:PORT, the same on all")
        if self.launch_file is not None:
            return self._accelerate(host, port, module, arguments)
        meet = (
            (f"--nnodes={self.nodes}", f"--node-rank={self.node}",
             f"--master-addr={host}", f"--master-port={port}")
            if self.nodes > 1
            else ("--standalone",)
        )  # fmt: skip
        each = f"--nproc-per-node={self.per_node}"
        return (sys.executable, "-m", "torch.distributed.run", *meet, each, "-m", module,
                *arguments)  # fmt: skip

    def _accelerate(
        self, host: str, port: str, module: str, arguments: Sequence[str]
    ) -> tuple[str, ...]:
        meet = (f"--main_process_ip={host}", f"--main_process_port={port}") if host else ()
        return (
            sys.executable, "-m", "accelerate.commands.launch",
            f"--config_file={self.launch_file}", f"--num_processes={self.total}",
            f"--num_machines={self.nodes}", f"--machine_rank={self.node}", *meet,
            "--module", module, *arguments,
        )  # fmt: skip


def is_rank() -> bool:
    """Whether this process is one that a launcher started."""
    return "LOCAL_RANK" in os.environ


def is_first_rank() -> bool:
    """Whether this process speaks for all."""
    return os.environ.get("RANK", "0") == "0"


def end_with_launcher() -> None:
    """Leave no rank behind: a launcher that is killed cannot stop its ranks."""
    if is_rank():
        end_with_parent(signal.SIGKILL)


def launch(ranks: Ranks, module: str, arguments: Sequence[str]) -> int:
    """Start this node's processes and wait; gives their exit code.

    A Ctrl-C reaches the launcher as well, and it is given the time to stop its ranks.

    Raises:
        KeyboardInterrupt: There was one; the ranks have ended.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    stopped = False
    with subprocess.Popen(  # noqa: S603 - our own command
        ranks.command(module, arguments), env=environment,
        preexec_fn=tether(nice=0, when_parent_dies=signal.SIGTERM),  # noqa: PLW1509 - forked from the main thread only
    ) as process:  # fmt: skip
        while process.poll() is None:
            try:
                process.wait()
            except KeyboardInterrupt:
                stopped = True
    if stopped:
        raise KeyboardInterrupt
    return process.returncode


def check_ranks(asked: int, found: int) -> None:
    """Return if so many processes train together.

    Raises:
        BenchmarkDataError: They are another number.
    """
    if asked != found:
        raise BenchmarkDataError(
            f"{asked} ranks were asked for but {found} train together; start them with torchrun "
            "or an accelerate file for as many"
        )
