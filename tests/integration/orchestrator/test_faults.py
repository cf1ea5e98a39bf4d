"""What the promises say must survive: killed workers, doubled messages, cancel, poison, loss."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from shared.contracts.events import CancelRequested
from shared.contracts.trajectories import Status, Trajectory
from shared.stores.journal import Journal
from shared.stores.s3_images import S3ImageStore
from tests.fakes.model_services import HANGS, Answer
from tests.integration.orchestrator.stack import Stack, running_stack
from tests.servers import S3Server, ValkeyServer, running_valkey


@pytest.fixture
def stack(valkey: ValkeyServer, tmp_path: Path) -> Iterator[Stack]:
    with running_stack(valkey, tmp_path) as stack:
        yield stack


def test_workers_killed_in_the_middle_of_every_kind_of_call_lose_nothing(stack: Stack) -> None:
    stack.start("reaper")
    stack.start("worker", "plan")
    submitted = []
    for operation, successor in (("plan", "draw"), ("draw", "judge"), ("judge", "last")):
        stack.models.answers[operation] = [HANGS]
        submitted.append(stack.submit())
        stack.wait(lambda wanted=operation: not stack.models.answers[wanted])
        stack.signal(operation, signal.SIGKILL)
        stack.start("worker", successor)
        done = stack.finished(submitted[-1].id)
        assert done.status is Status.SUCCEEDED
        assert [step.chosen for step in done.steps] == [1, 1]
        assert done.usage.generator_calls == 2


def test_lost_messages_and_deadlines_are_found_by_the_reaper(stack: Stack) -> None:
    late = stack.submit(deadline_s=0.5)
    lost = stack.submit()
    stack.client.delete("plan")  # the queue, with the messages in it
    stack.start("reaper")
    assert stack.finished(late.id).status is Status.EXPIRED
    stack.start("worker")
    assert stack.finished(lost.id).status is Status.SUCCEEDED


def test_cancel_reaches_a_worker_whose_every_thread_is_busy_and_whose_wake_up_is_lost(
    valkey: ValkeyServer, tmp_path: Path
) -> None:
    with running_stack(valkey, tmp_path, concurrency="1") as stack:
        stack.models.defaults["draw"] = HANGS
        stack.start("worker")
        submitted = stack.submit()
        stack.wait(lambda: stack.models.count("draw"))
        asked_at = time.monotonic()
        stack.store.post(submitted.id, CancelRequested())
        assert stack.finished(submitted.id).status is Status.CANCELLED
        stack.wait(lambda: stack.models.aborted)
        assert stack.models.aborted[0][1] - asked_at < 2.0


def test_a_command_that_kills_every_worker_ends_in_a_cell_and_harms_no_other(
    valkey: ValkeyServer, tmp_path: Path
) -> None:
    with running_stack(valkey, tmp_path, lease_s="1", max_executions="4") as stack:
        stack.start("reaper")
        stack.models.answers["draw"] = [HANGS] * 4
        poison = stack.submit()
        for number in (1, 2):
            stack.start("worker", f"worker {number}")
            stack.wait(lambda wanted=number: stack.models.count("draw") >= wanted)
            stack.signal(f"worker {number}", signal.SIGKILL)
        stack.start("worker", "last worker")
        worker = psutil.Process(stack.processes["last worker"].pid)
        for number in (3, 4):  # now only the fork in its cell dies with it
            stack.wait(lambda wanted=number: stack.models.count("draw") >= wanted, timeout_s=30)
            for cell in worker.children():
                for fork in cell.children():
                    fork.kill()
        done = stack.finished(poison.id)
        assert done.status is Status.FAILED
        assert done.problem is not None
        assert done.problem.code == "poison_command"
        assert worker.is_running()
        assert stack.finished(stack.submit().id).status is Status.SUCCEEDED


def test_a_suspect_that_only_had_bad_luck_is_carried_out_in_a_cell(
    valkey: ValkeyServer, tmp_path: Path
) -> None:
    with running_stack(valkey, tmp_path, lease_s="1") as stack:
        stack.start("reaper")
        stack.models.answers["draw"] = [HANGS] * 2
        unlucky = stack.submit()
        for number in (1, 2):
            stack.start("worker", f"worker {number}")
            stack.wait(lambda wanted=number: stack.models.count("draw") >= wanted)
            stack.signal(f"worker {number}", signal.SIGKILL)
        stack.start("worker", "last worker")
        done = stack.finished(unlucky.id, timeout_s=30)
        assert done.status is Status.SUCCEEDED
        assert stack.models.count("draw") == 2 + 2


def test_a_cancel_ends_the_call_in_a_cell(valkey: ValkeyServer, tmp_path: Path) -> None:
    with running_stack(valkey, tmp_path, lease_s="1") as stack:
        stack.start("reaper")
        stack.models.answers["draw"] = [HANGS] * 3
        submitted = stack.submit()
        for number in (1, 2):
            stack.start("worker", f"worker {number}")
            stack.wait(lambda wanted=number: stack.models.count("draw") >= wanted)
            stack.signal(f"worker {number}", signal.SIGKILL)
        stack.start("worker", "last worker")
        stack.wait(lambda: stack.models.count("draw") >= 3, timeout_s=30)
        gone = len(stack.models.aborted)
        stack.post(submitted.id, CancelRequested())
        assert stack.finished(submitted.id).status is Status.CANCELLED
        stack.wait(lambda: len(stack.models.aborted) > gone)


def test_a_server_that_is_killed_and_restarted_only_costs_time(tmp_path: Path) -> None:
    with running_valkey(tmp_path / "valkey") as valkey, running_stack(valkey, tmp_path) as stack:
        stack.models.defaults["draw"] = Answer(pause_s=1.5)
        stack.start("reaper")
        stack.start("worker")
        submitted = stack.submit()
        stack.wait(lambda: stack.models.count("draw"))
        time.sleep(1.1)  # what is lost with everysec is at most the last second
        valkey.server.kill()
        time.sleep(0.5)
        valkey.server.start()
        done = stack.finished(submitted.id, timeout_s=40)
        assert done.status is Status.SUCCEEDED
        assert done.usage.generator_calls == 2


def test_a_server_that_loses_everything_is_rebuilt_from_the_journal(
    valkey: ValkeyServer, s3: S3Server, tmp_path: Path
) -> None:
    # A bucket of its own: what other tests left unfinished would be taken up as well.
    storage = s3.storage.model_copy(update={"bucket": "wiped"})
    images = S3ImageStore(storage)
    images.ensure_bucket()
    journal = Journal(images)
    secret = storage.secret_key.get_secret_value()
    with running_stack(
        valkey,
        tmp_path,
        storage__endpoint=s3.storage.endpoint,
        storage__secret_key=secret,
        storage__bucket=storage.bucket,
    ) as stack:
        stack.start("reaper")
        stack.start("worker")
        done = stack.finished(stack.submit().id)
        stack.wait(lambda: _is_final(journal.read(done.id)))
        # Long enough to be cut off from its lease; whether the call outlives that is left open.
        stack.models.answers["draw"] = [Answer(), Answer(pause_s=5)]
        drawn = stack.models.count("draw")
        running = stack.submit()
        journal.write(running)
        stack.wait(lambda: _steps_done(journal.read(running.id)))
        stack.wait(lambda: stack.models.count("draw") >= drawn + 2)  # the long one, too
        stack.client.flushall()
        again = stack.finished(running.id)
        assert again.status is Status.SUCCEEDED
        rebuilt = stack.store.load(done.id)
        assert rebuilt is not None
        assert rebuilt == done


def _steps_done(state: Trajectory | None) -> bool:
    return state is not None and bool(state.steps) and state.steps[0].status.done


def _is_final(state: Trajectory | None) -> bool:
    return state is not None and state.status.final


def test_a_worker_asked_to_end_hands_its_commands_over(stack: Stack) -> None:
    stack.environment["ORCHESTRATOR_STOP_GRACE_S"] = "0.2"
    stack.environment["ORCHESTRATOR_LEASE_S"] = "60"
    stack.models.answers["draw"] = [HANGS]
    stack.start("reaper")
    stack.start("worker")
    submitted = stack.submit()
    stack.wait(lambda: stack.models.count("draw"))
    stack.signal("worker", signal.SIGTERM)
    stack.start("worker", "second worker")
    assert stack.finished(submitted.id).status is Status.SUCCEEDED
