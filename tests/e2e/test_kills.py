"""Any process may be killed at any time: the trajectory still ends right."""

from __future__ import annotations

from collections import Counter

import psutil
import pytest

from services.launcher.api import ApiClient, Order
from services.launcher.follow import follow
from services.launcher.views import EventView, TrajectoryView
from tests.e2e.local_stack import READY_TIMEOUT_S, LocalStack

ORDER = Order("Tell the story of a boat from morning to night in four pictures.", seed=7)
STEPS = 4
MOMENTS = {
    "planner": "trajectory.planning",
    "generator": "step.started",
    "critic": "attempt.drawn",
    "worker": "attempt.drawn",
    "gateway": "plan.step",
    "valkey": "attempt.drawn",
    "seaweedfs": "step.started",
}
"""What was the last thing seen when the process is killed."""


def run_and_kill(stack: LocalStack, api: ApiClient, victim: str) -> list[EventView]:
    created = api.create(ORDER)
    events: list[EventView] = []
    for event in follow(api, created.id):
        assert isinstance(event, EventView)
        events.append(event)
        if event.type == MOMENTS[victim] and [e.type for e in events].count(event.type) == 1:
            stack.kill_child(victim)
    check_ended_right(api.trajectory(created.id))
    return events


def check_ended_right(trajectory: TrajectoryView) -> None:
    assert trajectory.status == "succeeded", trajectory.problem
    assert [step.step_number for step in trajectory.steps] == list(range(1, STEPS + 1))
    for step in trajectory.steps:
        assert step.image is not None
        assert 1 <= len(step.attempts) <= 3
        assert step.chosen in {attempt.number for attempt in step.attempts}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("victim", MOMENTS)
def test_a_killed_process_loses_no_trajectory(stack: LocalStack, victim: str) -> None:
    before = stack.child(victim).restarts
    with stack.api() as api:
        events = run_and_kill(stack, api, victim)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    finished = Counter(event.step for event in events if event.type == "step.finished")
    assert finished == dict.fromkeys(range(1, STEPS + 1), 1)
    stack.wait_until(lambda state: state.ready, timeout_s=READY_TIMEOUT_S)
    assert stack.child(victim).restarts == before + 1


@pytest.mark.timeout(300)
def test_after_the_whole_stack_was_killed_unfinished_trajectories_go_on(
    stack: LocalStack,
) -> None:
    assert stack.process is not None
    with stack.api() as api:
        ids = [api.create(ORDER).id for _ in range(2)]
        seen = next(e for e in follow(api, ids[0]) if isinstance(e, EventView) and e.sequence > 1)
        assert not seen.final
    children = psutil.Process(stack.process.pid).children(recursive=True)
    stack.kill()
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    key = stack.folder.key.read_text()
    stack.start()
    with stack.api() as api:
        for trajectory_id in ids:
            *_, last = follow(api, trajectory_id)
            assert isinstance(last, EventView)
            check_ended_right(api.trajectory(trajectory_id))
    assert stack.folder.key.read_text() == key
    assert stack.output.count(key.strip()) == 1
