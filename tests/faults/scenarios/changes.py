"""G1, G4: people approve, edit, retry and fork while workers die."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.faults.api import Json, Unanswered
from tests.faults.script import Script, slow
from tests.faults.trial import Accepted, Trial
from tests.faults.world import WORKERS

_COUNT = 14
_KILLS = 9
_EVERY_S = 2.5
_STEPS = 3
_SEED = 7
_STILL_S = 40.0
_PAUSE_S = 0.25
_TAKEN = frozenset({200, 202, 409})
"""409: an earlier, unanswered call of ours has been worked in already."""


async def made_by_people(trial: Trial) -> None:
    """Each: plan edited and approved, a step redone, the whole forked; workers die all along."""
    killing = asyncio.create_task(_kill(trial))
    await asyncio.gather(*(_life(trial) for _ in range(_COUNT)))
    await killing
    trial.healed()
    await trial.settle()


async def _kill(trial: Trial) -> None:
    for _ in range(_KILLS):
        await asyncio.sleep(trial.rng.uniform(0.3, 1.0) * _EVERY_S)
        trial.world.crew[trial.rng.choice((*WORKERS, "reaper"))].kill()
        trial.fault()


async def _life(trial: Trial) -> None:
    script = Script(
        draw=(slow(trial.rng.choice((0.0, 0.3))),),
        judge=(slow(trial.rng.choice((0.0, 0.3))),),
        steps_hit=(0, 1, 2),
        salt=trial.rng.getrandbits(31),
    )
    made = await trial.start(script, approval="plan", max_generator_calls=20)
    await _reach(trial, made, lambda record: record["status"] == "awaiting_approval")
    await _ask(trial, "PUT", f"{made.id}/plan", {"steps": _edited(script), "revision": 0})
    await _reach(trial, made, lambda record: len(record["steps"]) == _STEPS)
    await _ask(trial, "POST", f"{made.id}:approve", {})
    first = await _reach(trial, made, lambda record: bool(record["final"]))
    await _ask(trial, "POST", f"{made.id}/steps/2:retry", {"seed": _SEED})
    made.rounds = 2
    again = await _reach(
        trial,
        made,
        lambda record: bool(record["final"]) and record["sequence"] > first.get("sequence", 0),
    )
    _compare(trial, made, first, again)
    answer = await _ask(trial, "POST", f"{made.id}:fork", {"step": 3})
    if "id" in answer:
        fork = Accepted(answer["id"], made.expected)
        trial.accepted.append(fork)
        # It asks for approval as the first one did.
        await _reach(trial, fork, lambda record: record["status"] == "awaiting_approval")
        await _ask(trial, "POST", f"{fork.id}:approve", {})


def _edited(script: Script) -> list[Json]:
    return [
        {"step_number": n, "prompt": script.prompt(n), "instruction": f"edited {n}"}
        for n in range(1, _STEPS + 1)
    ]


async def _reach(trial: Trial, made: Accepted, good: Callable[[Json], bool]) -> Json:
    """The record once it is as wanted; a complaint if it does not become so."""
    seen: list[Json] = []

    async def look() -> bool:
        record = await trial.api.trajectory(made.id)
        seen[:] = [] if record is None else [record]
        return record is not None and good(record)

    for _ in range(int(_STILL_S / _PAUSE_S)):
        if await look():
            return seen[0]
        await asyncio.sleep(_PAUSE_S)
    status = seen[0]["status"] if seen else "gone"
    trial.stuck.append(f"{made.id}: still {status} after {_STILL_S:.0f} s")
    return seen[0] if seen else {}


async def _ask(trial: Trial, method: str, path: str, body: Json) -> Json:
    answer = await trial.api.ask(method, f"/v1/trajectories/{path}", timeout_s=30.0, json=body)
    if answer.status_code not in _TAKEN:
        message = f"{method} {path}: {answer.status_code} {answer.text[:200]}"
        raise Unanswered(message)
    return answer.json()


def _compare(trial: Trial, made: Accepted, first: Json, again: Json) -> None:
    """What came before the step that was redone is as it was; the step is another picture."""
    if not first or not again:
        return
    before, after = ([s["image"]["sha256"] for s in r["steps"]] for r in (first, again))
    if before[0] != after[0]:
        trial.doubled.append(f"{made.id}: step 1 was drawn anew by a retry of step 2")
    if _SEED not in [attempt["seed"] for attempt in again["steps"][1]["attempts"]]:
        trial.lost.append(f"{made.id}: the seed of the retry was not used")
