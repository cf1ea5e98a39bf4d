"""Prometheus metrics of workers and reaper (``ORCHESTRATOR_METRICS_PORT``)."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

COMMAND_SECONDS: Final = Histogram(
    "interleave_command_seconds",
    "Seconds a worker spent on one command, the model's time included",
    ["kind"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300),
)
COMMANDS_FAILED: Final = Counter(
    "interleave_commands_failed", "Commands that ended in a problem", ["kind", "code"]
)
CALLS_RETRIED: Final = Counter(
    "interleave_calls_retried", "Model calls that are tried again", ["kind", "code"]
)
CALLS_STOPPED: Final = Counter(
    "interleave_calls_stopped", "Model calls stopped because nobody wants the result", ["kind"]
)
DUPLICATES: Final = Counter(
    "interleave_messages_without_work", "Messages whose command was done or being carried out"
)
LEASES_LOST: Final = Counter(
    "interleave_leases_lost", "Leases that somebody else took while the command ran"
)
COMMANDS_RESENT: Final = Counter(
    "interleave_commands_resent", "Pending commands the reaper sent again"
)
STORE_REBUILT: Final = Counter(
    "interleave_store_rebuilt_trajectories", "Trajectories restored from the journal"
)
SNAPSHOTS_WAITING: Final = Gauge(
    "interleave_snapshots_waiting", "Trajectories whose newest version the journal lacks yet"
)
SNAPSHOTS_FAILED: Final = Counter(
    "interleave_snapshots_failed", "Writes to the journal that failed and are tried again"
)
DELIVERIES_TRIMMED: Final = Counter(
    "interleave_webhook_deliveries_trimmed", "Finished deliveries that the log has forgotten"
)
SWEEPS: Final = Counter("interleave_reaper_sweeps", "Sweeps of the reaper")
DUTIES_FAILED: Final = Counter(
    "interleave_reaper_duties_failed", "Duties that a sweep could not do", ["duty"]
)
CALLS_WASTED: Final = Counter(
    "interleave_calls_wasted",
    "Model calls whose result is of no use, by why: late (somebody else's came first, or nobody"
    " wants it any more) or discarded (drawn ahead from a picture that was refused)",
    ["kind", "why"],
)
WEBHOOK_TRIES: Final = Counter(
    "interleave_webhook_tries", "Tries to deliver a webhook, by what came of them", ["status"]
)
PARKED: Final = Gauge(
    "interleave_commands_parked",
    "Work that waits in this worker for a thread of its kind",
    ["lane"],
)
SUSPECTS: Final = Counter(
    "interleave_suspects", "Commands carried out alone in a process, by what came of it", ["end"]
)
