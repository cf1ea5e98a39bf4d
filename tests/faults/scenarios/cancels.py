"""G7: cancel is raced against every transition; nothing starts after it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime

from tests.faults.ledger import Entry, of
from tests.faults.script import Script, slow
from tests.faults.trial import Accepted, Trial

_COUNT = 200
_AT_ONCE = 25
_LIFE_S = 2.0
_ABORTED_WITHIN_S = 2.0
_ON_ITS_WAY_S = 0.3
"""A call that left its worker before the cancel was saved may arrive so much later."""
_ACCEPTED = 202
ENDS = frozenset({"cancelled", "succeeded"})


@dataclass(frozen=True, slots=True)
class _Cancel:
    made: Accepted
    asked_at_s: float
    answer: int


async def raced(trial: Trial) -> None:
    """200 cancels at random moments of a life of two seconds."""
    slots = asyncio.Semaphore(_AT_ONCE)
    cancels = await asyncio.gather(*(_one(trial, slots) for _ in range(_COUNT)))
    await trial.settle()
    entries = trial.world.ledger()
    for cancel in cancels:
        _check(trial, cancel, of(entries, cancel.made.id))


async def _one(trial: Trial, slots: asyncio.Semaphore) -> _Cancel:
    pauses = {"plan": (slow(0.2),), "draw": (slow(0.4),), "judge": (slow(0.3),)}
    script = Script.model_validate(
        {**pauses, "steps_hit": (0, 1), "salt": trial.rng.getrandbits(31)}
    )
    moment_s = trial.rng.uniform(0.0, _LIFE_S)
    async with slots:
        made = await trial.start(script, expected=ENDS)
        await asyncio.sleep(moment_s)
        asked_at_s = time.time()
        answer = await trial.api.cancel(made.id)
        trial.fault()
        made.record = await trial.api.until_final(made.id, still_s=30.0)
    return _Cancel(made, asked_at_s, answer)


def _check(trial: Trial, cancel: _Cancel, entries: list[Entry]) -> None:
    record = cancel.made.record
    if record is None or not record["final"]:
        return
    if record["status"] == "succeeded" and cancel.answer == _ACCEPTED:
        # Asked while its last save was under way: the cancel came second.
        return
    ended_s = datetime.fromisoformat(record["finished_at"]).timestamp()
    for entry in entries:
        if entry.what == "began" and entry.at_s > ended_s + _ON_ITS_WAY_S:
            trial.doubled.append(f"{cancel.made.id}: {entry.operation} began after the cancel")
        if entry.what == "began":
            over = [e.at_s for e in entries if e.key == entry.key and e.what != "began"]
            last_s = max(over, default=float("inf"))
            if last_s > max(entry.at_s, ended_s) + _ABORTED_WITHIN_S:
                trial.stuck.append(f"{cancel.made.id}: {entry.operation} was not aborted in time")
