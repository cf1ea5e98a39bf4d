from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trainer.benchmarks.asking import RunOptions, estimate_body
from services.trainer.benchmarks.expecting import SAMPLE, Outlook, outlook, spread
from services.trainer.benchmarks.records import Item, System
from services.trainer.benchmarks.replies import CallsReply, EstimateReply, SecondsReply
from services.trainer.benchmarks.service import InterleaveService
from shared.errors import InterleaveError, ServiceUnavailableError

ITEMS = [Item(str(n), f"prompt {n}", "g", steps=n + 1) for n in range(40)]


class Expects:
    """A call and two seconds a step; the seconds only of items before ``measured``."""

    def __init__(self, measured: int = 100) -> None:
        self.asked: list[str] = []
        self._measured = measured

    async def expected(self, item: Item) -> EstimateReply:
        self.asked.append(item.id)
        steps = float(item.steps or 0)
        known = SecondsReply(expected=2 * steps) if int(item.id) < self._measured else None
        return EstimateReply(generator_calls=CallsReply(expected=steps), seconds=known)


class CannotExpect(Expects):
    """Fails, or is silent when no error is given."""

    def __init__(self, error: InterleaveError | None) -> None:
        super().__init__()
        self._error = error

    async def expected(self, item: Item) -> EstimateReply:
        if self._error is not None:
            raise self._error
        await asyncio.sleep(60)
        return await super().expected(item)


async def test_a_few_items_stand_for_all_of_them() -> None:
    service = Expects()
    found = await outlook(service, ITEMS)
    assert service.asked == ["0", "5", "10", "15", "20", "25", "30", "35"]
    assert len(service.asked) == SAMPLE
    calls = 40 * (1 + 6 + 11 + 16 + 21 + 26 + 31 + 36) / 8
    assert found == Outlook(40, 8, calls, 2 * calls)


async def test_few_items_are_all_asked_about() -> None:
    assert await outlook(Expects(), ITEMS[:3]) == Outlook(3, 3, 6.0, 12.0)


async def test_time_that_is_not_known_for_every_item_is_not_told() -> None:
    found = await outlook(Expects(measured=2), ITEMS[:4])
    assert found == Outlook(4, 4, 10.0, None)
    assert isinstance(found, Outlook)
    assert "time not known yet" in found.told(concurrency=2, price_per_call=0.0)


async def test_a_service_that_cannot_tell_says_why_and_raises_nothing() -> None:
    assert await outlook(CannotExpect(ServiceUnavailableError("down")), ITEMS) == "down"
    silent = await outlook(CannotExpect(None), ITEMS, patience_s=0.01)
    assert silent == "the service gave no estimate within 0.01 s"


def test_minutes_and_cost_are_those_of_the_work_at_a_time() -> None:
    found = Outlook(items=20, asked=8, generator_calls=100.0, seconds=1200.0)
    assert found.minutes(4) == pytest.approx(5.0)
    assert found.minutes(100) == pytest.approx(1.0), "not more at a time than there are"
    assert found.told(concurrency=4, price_per_call=0.04) == (
        "20 items to run: about 100 generator calls, 5.0 min with 4 at a time, if the service "
        "keeps up, cost 4.00 (estimated from 8 of them)."
    )
    assert "less than 0.1 min with" in Outlook(1, 1, 1.0, 2.0).told(
        concurrency=1, price_per_call=0.0
    )
    assert "3.0 h" in Outlook(1, 1, 1.0, 10_800.0).told(concurrency=1, price_per_call=0.0)


@given(st.integers(1, 200), st.integers(1, 20))
def test_items_asked_about_are_spread_and_never_twice(count: int, wanted: int) -> None:
    items = [Item(str(n), "", "g") for n in range(count)]
    taken = spread(items, wanted)
    assert len({item.id for item in taken}) == len(taken) == min(count, wanted)
    assert taken[0] is items[0]
    assert [int(item.id) for item in taken] == sorted(int(item.id) for item in taken)


def test_the_generator_alone_is_estimated_for_the_pictures_it_is_asked_for() -> None:
    item = Item("i", "story", "g", pictures=3)
    alone = estimate_body(item, RunOptions(system=System.GENERATOR))
    assert (alone["steps"], alone["profile"]) == (3, "fast")
    assert "approval" not in alone
    full = estimate_body(item, RunOptions())
    assert "steps" not in full, "how many steps the planner takes is its own"


async def test_the_service_is_asked_for_its_estimate() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/trajectories:estimate"
        assert json.loads(request.content)["prompt"] == "prompt 0"
        reply = {"generator_calls": {"least": 1, "expected": 5.6, "most": 60},
                 "seconds": {"expected": 9.5}, "note": None}  # fmt: skip
        return httpx.Response(200, json=reply)

    http = httpx.AsyncClient(transport=httpx.MockTransport(handler), base_url="http://interleave")
    found = await outlook(InterleaveService(http, RunOptions(), tries=1), ITEMS[:1])
    assert found == Outlook(1, 1, 5.6, 9.5)
