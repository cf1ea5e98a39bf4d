"""Whole trajectories through a real worker, queue and store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.contracts.events import CancelRequested, StepRetryRequested
from shared.contracts.profiles import Speculation
from shared.contracts.trajectories import Status, Trajectory
from shared.queue import send_command, send_wakeup
from tests.fakes.model_services import HANGS, REFUSES, RUBBISH, Answer, ModelServices
from tests.integration.orchestrator.stack import Stack, running_stack
from tests.servers import ValkeyServer
from tests.trajectories import profile


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


def test_doubled_messages_change_nothing(stack: Stack) -> None:
    stack.models.prompts = ("a", "b", "c")
    stack.models.defaults["draw"] = Answer(pause_s=0.1)
    once = stack.finished(stack.submit().id)
    doubled = stack.submit()
    seen: set[str] = set()

    def send_everything_thrice() -> bool:
        state = stack.store.load(doubled.id)
        assert state is not None
        for command in state.pending:
            if command.id not in seen:
                seen.add(command.id)
                for _ in range(3):
                    send_command(stack.celery, state.id, command)
                    send_wakeup(stack.celery, state.id)
        return state.status.final

    stack.wait(send_everything_thrice)
    twice = stack.finished(doubled.id)
    assert _essence(twice) == _essence(once)
    assert [event.sequence for event in stack.events(twice.id)] == list(
        range(1, twice.sequence + 1)
    )
    assert _shape(stack, twice) == _shape(stack, once)


def _essence(state: Trajectory) -> object:
    steps = [
        (step.status, step.chosen, [(a.prompt, a.seed, a.number) for a in step.attempts])
        for step in state.steps
    ]
    pictures = [step.image.sha256 if step.image else None for step in state.steps]
    return state.status, steps, pictures, state.usage


def _shape(stack: Stack, state: Trajectory) -> list[tuple[str, int | None, int | None]]:
    """Events without those of the plan: how far it is written when drawing begins is a race."""
    events = [event for event in stack.events(state.id) if not event.type.startswith("plan.")]
    return [(event.type, event.step, event.attempt) for event in events]


def test_cancel_aborts_the_running_call_within_two_seconds(stack: Stack) -> None:
    stack.models.defaults["draw"] = HANGS
    submitted = stack.submit()
    stack.wait(lambda: stack.models.count("draw"))
    asked_at = time.monotonic()
    stack.post(submitted.id, CancelRequested())
    assert stack.finished(submitted.id).status is Status.CANCELLED
    stack.wait(lambda: stack.models.aborted)
    operation, aborted_at = stack.models.aborted[0]
    assert operation == "draw"
    assert aborted_at - asked_at < 2.0


def test_a_deadline_cuts_a_hanging_call_and_delivers_what_exists(stack: Stack) -> None:
    stack.models.answers["draw"] = [Answer(), HANGS, HANGS]
    done = stack.finished(stack.submit(deadline_s=1.5).id)
    assert done.status is Status.PARTIALLY_SUCCEEDED
    assert done.problem is not None
    assert done.problem.code == "deadline_passed"
    stack.wait(lambda: stack.models.aborted)


def test_a_finished_step_can_be_drawn_again(stack: Stack) -> None:
    done = stack.finished(stack.submit().id)
    stack.post(done.id, StepRetryRequested(step=1, prompt="add a scarf", after_attempt=1))
    stack.wait(lambda: stack.models.count("draw") == 3)
    again = stack.finished(done.id)
    assert again.status is Status.SUCCEEDED
    assert [step.chosen for step in again.steps] == [1, 2]


def test_speculation_gives_the_same_pictures_as_waiting(stack: Stack) -> None:
    stack.models.prompts = ("a", "b", "c")
    stack.models.defaults["judge"] = Answer(pause_s=0.2)
    ahead = stack.finished(stack.submit().id)
    waited = stack.finished(stack.submit(settings=profile(speculation=Speculation.OFF)).id)
    assert _essence(ahead) == _essence(waited)
    assert _shape(stack, ahead) == _shape(stack, waited)
    assert ahead.steps[1].image is not None
    assert ahead.steps[1].image.key.endswith("-after-1.png")
