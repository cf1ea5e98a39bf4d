"""``interleave status``: the processes of a running stack, their memory, the queues."""

from __future__ import annotations

import psutil
import redis
from rich.console import Console
from rich.table import Table

from services.launcher.data_folder import DataFolder
from services.launcher.state_file import ProcessState, StackState, running_stack

QUEUES = ("plan", "critique", "generate", "speculate", "deliver", "control")
_MIB = 1024 * 1024
_CPU_SAMPLE_S = 0.5


def show_status(folder: DataFolder, *, console: Console) -> None:
    """Print how the stack does.

    Raises:
        NotRunningError: None runs on the folder.
    """
    state = running_stack(folder)
    word = "ready" if state.ready else "starting"
    console.print(f"{state.url}: {word} (launcher: process {state.pid})")
    console.print(_processes(state))
    console.print(_queues(state))


def _processes(state: StackState) -> Table:
    table = Table()
    for heading in ("process", "pid", "state", "restarts", "memory MiB", "cpu %", "address"):
        table.add_column(heading)
    total = 0.0
    for process in state.processes:
        memory_mib, cpu = _measured(process)
        total += memory_mib
        word = "ready" if process.ready else "not ready"
        numbers = (f"{memory_mib:.0f}", f"{cpu:.0f}")
        cells = (process.name, str(process.pid), word, str(process.restarts))
        table.add_row(*cells, *numbers, process.address)
    table.add_section()
    table.add_row("together", "", "", "", f"{total:.0f}", "", "")
    return table


def _measured(process: ProcessState) -> tuple[float, float]:
    """Memory in MiB (children included) and CPU share; zeros when it is gone."""
    if process.pid is None:
        return 0.0, 0.0
    try:
        parent = psutil.Process(process.pid)
        family = [parent, *parent.children(recursive=True)]
        memory = sum(member.memory_info().rss for member in family) / _MIB
        return memory, parent.cpu_percent(interval=_CPU_SAMPLE_S / len(family))
    except psutil.Error:
        return 0.0, 0.0


def _queues(state: StackState) -> Table:
    client = redis.Redis.from_url(state.redis_url, socket_timeout=2.0)
    table = Table()
    table.add_column("queue")
    table.add_column("waiting", justify="right")
    for name in QUEUES:
        table.add_row(name, str(client.llen(name)))
    return table
