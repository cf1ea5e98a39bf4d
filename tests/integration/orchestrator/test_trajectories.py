"""Whole trajectories through a real worker, queue and store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.contracts.trajectories import Status
from tests.fakes.model_services import REFUSES, RUBBISH, Answer, ModelServices
from tests.integration.orchestrator.stack import Stack, running_stack
from tests.servers import ValkeyServer


@pytest.fixture(scope="module")
def stack(valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("stack")
    with running_stack(valkey, folder) as stack:
        stack.start("worker")
        yield stack


@pytest.fixture(autouse=True)
def fresh_models(stack: Stack) -> ModelServices:
    fresh = ModelServices()
    for name in ("prompts", "step_pause_s", "answers", "defaults", "calls", "aborted"):
        setattr(stack.models, name, getattr(fresh, name))
    return stack.models


def test_a_request_becomes_a_planned_drawn_and_judged_sequence(stack: Stack) -> None:
    done = stack.finished(stack.submit().id)
    assert done.status is Status.SUCCEEDED
    assert [step.chosen for step in done.steps] == [1, 1]
    events = stack.events(done.id)
    assert [event.sequence for event in events] == list(range(1, done.sequence + 1))
    assert events[-1].type == "trajectory.succeeded"
    assert done.version > 1
    assert done.usage.planner_calls == 1


def test_a_refused_attempt_is_drawn_again(stack: Stack) -> None:
    stack.models.answers["judge"] = [REFUSES]
    done = stack.finished(stack.submit().id)
    assert [attempt.prompt for attempt in done.steps[0].attempts] == ["a cat", "a cat!"]
    assert done.status is Status.SUCCEEDED


def test_a_service_that_fails_for_a_while_is_asked_again(stack: Stack) -> None:
    stack.models.answers["plan"] = [Answer(status=503)]
    stack.models.answers["draw"] = [Answer(status=500), RUBBISH]
    done = stack.finished(stack.submit().id)
    assert done.status is Status.SUCCEEDED
    assert done.usage.generator_calls == 2
    assert stack.models.count("draw") >= 4


def test_rubbish_for_ever_ends_with_a_clear_problem(stack: Stack) -> None:
    stack.models.defaults["draw"] = RUBBISH
    done = stack.finished(stack.submit().id)
    assert done.status is Status.FAILED
    assert done.problem is not None
    assert done.problem.code == "bad_reply"
    assert stack.models.count("draw") == 3


def test_a_rejected_call_is_not_repeated(stack: Stack) -> None:
    stack.models.defaults["draw"] = Answer(status=422)
    done = stack.finished(stack.submit().id)
    assert done.problem is not None
    assert done.problem.code == "service_rejected"
    assert stack.models.count("draw") == 1


def test_an_unusable_plan_fails_with_the_planner_s_own_code(stack: Stack) -> None:
    stack.models.prompts = ()
    done = stack.finished(stack.submit().id)
    assert done.status is Status.FAILED
    assert done.problem is not None
    assert done.problem.code == "plan_unusable"


def test_drawing_begins_while_the_plan_is_still_written(stack: Stack) -> None:
    stack.models.step_pause_s = 0.4
    done = stack.finished(stack.submit().id)
    kinds = [event.type for event in stack.events(done.id)]
    assert kinds.index("attempt.drawn") < kinds.index("plan.completed")


def test_many_trajectories_at_once_all_end_well(stack: Stack) -> None:
    ids = [stack.submit().id for _ in range(12)]
    assert {stack.finished(each).status for each in ids} == {Status.SUCCEEDED}
