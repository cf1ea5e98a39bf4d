"""``python -m tests.benchmarks``: measures, prints, and writes ``build/bench.json``."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared.telemetry.logging import configure_logging
from tests.benchmarks.breakdown import per_pair_ms, queue_hop_ms
from tests.benchmarks.durability import durability_ms
from tests.benchmarks.overhead import Load, measure
from tests.benchmarks.stack import running

OUT = Path("build/bench.json")


def main() -> None:
    """Measure orchestration with models that answer at once."""
    console = Console()
    configure_logging(level="WARNING", output="console", service="benchmarks")
    with (
        tempfile.TemporaryDirectory(prefix="interleave-bench-") as folder,
        running(Path(folder)) as stack,
    ):
        loads = asyncio.run(measure(stack))
        memory = stack.memory_mib()
        hop_ms = queue_hop_ms(stack)
        stack.stack.children["worker"].stop()
        parts = per_pair_ms(stack)
        durable = durability_ms(stack)
    _print(console, loads, memory, parts, hop_ms=hop_ms)
    console.print("Written to the disk, ms:", durable, "(the launcher's server: always)")
    record = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "loads": [asdict(load) for load in loads],
        "per_generator_call_ms": {**parts, "queue hop (there are two)": hop_ms},
        "memory_mib": memory,
        "durability_ms": durable,
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(record, indent=1) + "\n")
    console.print(f"Written to {OUT}")


def _machine() -> dict[str, str | int | float | None]:
    return {
        "cpus": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _print(
    console: Console,
    loads: list[Load],
    memory: dict[str, int],
    parts: dict[str, float],
    *,
    hop_ms: float,
) -> None:
    names = ("in flight", "trajectories/min", "per call p50 ms", "p99 ms", "trajectory p50 ms")
    table = Table(*names, title="Orchestration overhead, models answering at once")
    for load in loads:
        numbers = (load.per_minute, load.per_call_p50_ms, load.per_call_p99_ms)
        table.add_row(str(load.in_flight), *map(str, numbers), str(load.trajectory_p50_ms))
    console.print(table)
    where = Table("part", "ms", title="Where a generator call's time goes (its critique included)")
    for label, value in sorted(parts.items(), key=lambda pair: -pair[1]):
        where.add_row(label, f"{value:.2f}")
    where.add_row("queue hop (there are two)", f"{hop_ms:.2f}")
    console.print(where)
    console.print("Processor time per generator call, ms:", loads[-1].cpu_ms)
    console.print("Memory, MiB:", memory, "together", sum(memory.values()))


if __name__ == "__main__":
    main()
