"""G9: the receiver is away for a while, workers die; verified with the standard's own library."""

from __future__ import annotations

import asyncio
import json

from standardwebhooks import Webhook, WebhookVerificationError

from tests.faults.scenarios.load import until
from tests.faults.trial import Trial
from tests.faults.wire import Received
from tests.faults.world import WORKERS

_COUNT = 16
_EVENTS = ["step.finished", "trajectory.running", "trajectory.succeeded"]
_EACH = 4
"""Two steps, running, succeeded."""
_DOWN_S = 3.0
_ALL_WITHIN_S = 40.0
_OK = 204


async def receiver_away(trial: Trial) -> None:
    """Answers 503 at first; a worker is killed while tries are made."""
    name = f"away-{trial.rng.getrandbits(32):x}"
    hook = {"url": f"{trial.world.wire.url}/hooks/{name}", "events": _EVENTS}
    trial.world.wire.statuses[name] = 503
    trial.fault()
    await trial.start_many(_COUNT, webhook=hook)
    await asyncio.sleep(_DOWN_S)
    trial.world.crew[trial.rng.choice(WORKERS)].kill()
    trial.fault()
    trial.world.wire.statuses[name] = _OK
    await trial.settle()
    received = trial.world.wire.received

    def taken() -> list[Received]:
        return [each for each in received if each.name == name and each.status == _OK]

    await until(lambda: len(_ids(taken())) >= _COUNT * _EACH, within_s=_ALL_WITHIN_S)
    await _check(trial, taken(), [each for each in received if each.name == name])


async def _check(trial: Trial, taken: list[Received], tried: list[Received]) -> None:
    answer = await trial.api.ask("GET", "/v1/webhooks/secret", timeout_s=10.0)
    receiver = Webhook(answer.raise_for_status().json()["secret"])
    for each in tried:
        try:
            receiver.verify(each.body, dict(each.headers))
        except WebhookVerificationError as error:
            trial.lost.append(f"{each.headers.get('webhook-id')}: {error}")
    missing = _COUNT * _EACH - len(_ids(taken))
    trial.lost += [f"{missing} webhooks never came"] if missing > 0 else []
    places: dict[tuple[str, int], set[str]] = {}
    newest: dict[str, int] = {}
    for each in tried:
        data = json.loads(each.body)["data"]
        place = (data["trajectory_id"], data["sequence"])
        if place not in places and place[1] < newest.get(place[0], 0):
            trial.doubled.append(f"{place} came first after {newest[place[0]]}")
        newest[place[0]] = max(place[1], newest.get(place[0], 0))
        places.setdefault(place, set()).add(each.headers["webhook-id"])
    trial.doubled += [f"{place}: ids {ids}" for place, ids in places.items() if len(ids) > 1]
    if len(places) != len(_ids(tried)):
        trial.doubled.append("two events share a webhook id")


def _ids(received: list[Received]) -> set[str]:
    return {each.headers["webhook-id"] for each in received}
