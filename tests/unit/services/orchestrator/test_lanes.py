"""A kind of work that waits does not keep other kinds from being done."""

from __future__ import annotations

import threading

from services.orchestrator.lanes import Lanes


def test_a_full_lane_parks_its_work_and_leaves_other_lanes_alone() -> None:
    lanes, order = Lanes(1), list[str]()
    began, release = threading.Event(), threading.Event()

    def long() -> None:
        began.set()
        release.wait(10)
        order.append("long")

    busy = threading.Thread(target=lambda: lanes.run("generate", "a", job=long))
    busy.start()
    assert began.wait(10)
    lanes.run("generate", "b", job=lambda: order.append("parked"))
    lanes.run("generate", "b", job=lambda: order.append("parked again under the same name"))
    lanes.run("plan", "c", job=lambda: order.append("other lane"))
    assert order == ["other lane"]
    release.set()
    busy.join(10)
    assert order == ["other lane", "long", "parked again under the same name"]
    lanes.run("generate", "d", job=lambda: order.append("afterwards"))
    assert order[-1] == "afterwards"


def test_a_job_that_fails_does_not_close_its_lane() -> None:
    lanes, order = Lanes(1), list[str]()

    def fail() -> None:
        lanes.run("plan", "b", job=lambda: order.append("parked"))
        raise ZeroDivisionError

    lanes.run("plan", "a", job=fail)
    lanes.run("plan", "c", job=lambda: order.append("later"))
    assert order == ["parked", "later"]


def test_a_process_that_ends_does_not_begin_what_is_parked() -> None:
    lanes, order = Lanes(1), list[str]()

    def last() -> None:
        lanes.run("plan", "b", job=lambda: order.append("parked"))
        lanes.close()

    lanes.run("plan", "a", job=last)
    assert order == []


def test_lanes_may_have_sizes_of_their_own() -> None:
    lanes, order = Lanes(1, wide=2), list[str]()

    def nested() -> None:
        lanes.run("wide", "b", job=lambda: order.append("beside"))
        assert order == ["beside"]

    lanes.run("wide", "a", job=nested)
    assert order == ["beside"]
