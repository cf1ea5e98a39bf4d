"""What must be true of an accepted trajectory, whatever was broken meanwhile."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Generator, Sequence

from tests.faults.api import Api, Json

_PREFIX = "trajectory."
_FINALS = {"succeeded", "partially_succeeded", "failed", "cancelled", "expired"}


async def doubled(api: Api, record: Json, *, rebuilt: bool = False, rounds: int = 1) -> list[str]:
    """Everything that is there twice, out of order or contradicts itself.

    Args:
        api: to read events, manifest and pictures.
        record: the final record.
        rebuilt: the store was lost on the way: its early events may be gone, never doubled.
        rounds: how often it ran to an end (a step that is redone is one more).
    """
    events = await api.history(record["id"])
    complaints = [
        *event_complaints(events, record, rebuilt=rebuilt, rounds=rounds),
        *step_complaints(record, rounds=rounds),
    ]
    manifest = json.loads(await api.manifest(record["id"]))
    if len(manifest["steps"]) != len(record["steps"]):
        complaints.append("manifest and record differ")
    complaints += await _of_pictures(api, record)
    return [f"{record['id']}: {complaint}" for complaint in complaints]


def event_complaints(
    events: Sequence[Json], record: Json, *, rebuilt: bool, rounds: int = 1
) -> Generator[str]:
    """What is wrong with the history."""
    if not events:
        if not rebuilt:
            yield "no events"
        return
    if events[0]["type"] == "gap":
        if not rebuilt:
            yield "a gap"
        return
    sequences = [event["sequence"] for event in events]
    first = sequences[0] if rebuilt else 1
    if sequences != list(range(first, first + len(sequences))):
        yield f"sequences {sequences}"
    if sequences[-1] != record["sequence"]:
        yield f"newest event {sequences[-1]}, record says {record['sequence']}"
    finals = [event["type"] for event in events if _final(event["type"])]
    if len(finals) != rounds or finals[-1] != f"{_PREFIX}{record['status']}":
        yield f"final events {finals}, status {record['status']}"
    for kind in ("attempt.drawn", "attempt.judged", "step.started", "step.finished"):
        places = Counter((e.get("step"), e.get("attempt")) for e in events if e["type"] == kind)
        most = rounds if kind.startswith("step.") else 1
        yield from (f"{kind} {place} {n} times" for place, n in places.items() if n > most)


def _final(kind: str) -> bool:
    return kind.startswith(_PREFIX) and kind.removeprefix(_PREFIX) in _FINALS


def step_complaints(record: Json, *, rounds: int = 1) -> Generator[str]:
    """What is wrong with steps, attempts and counts."""
    numbers = [step["step_number"] for step in record["steps"]]
    if numbers != sorted(set(numbers)):
        yield f"steps {numbers}"
    drawn = 0
    # What a fork kept was drawn, judged and counted elsewhere.
    kept = (record.get("forked_from") or {}).get("kept_steps", 0)
    for step in record["steps"][kept:]:
        attempts = [attempt["number"] for attempt in step["attempts"]]
        if attempts != list(range(1, len(attempts) + 1)):
            yield f"step {step['step_number']} has attempts {attempts}"
        accepted = [a for a in step["attempts"] if (a["verdict"] or {}).get("success")]
        if len(accepted) > rounds:
            yield f"step {step['step_number']} has {len(accepted)} accepted pictures"
        drawn += sum(not attempt["speculative"] for attempt in step["attempts"])
    usage = record["usage"]
    if usage["generator_calls"] != drawn:
        yield f"{usage['generator_calls']} calls counted, {drawn} attempts"
    if usage["generator_calls"] > record["request"]["max_generator_calls"]:
        yield "over budget"


async def _of_pictures(api: Api, record: Json) -> list[str]:
    """Every picture that counts must be in the bucket, byte for byte."""
    complaints: list[str] = []
    for step in record["steps"]:
        image = step["image"]
        if image is None:
            continue
        data = await api.file(image["url"])
        if data is None or hashlib.sha256(data).hexdigest() != image["sha256"]:
            complaints.append(f"the picture of step {step['step_number']} is not what is recorded")
    return complaints
