"""The model clients against servers that answer well, badly, slowly or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from shared.clients.critic import CriticClient
from shared.clients.failures import CallCancelledError
from shared.clients.generator import GeneratorClient
from shared.clients.planner import PlannerClient
from shared.clients.transport import CallTimeouts
from shared.contracts.images import ImageRef
from shared.contracts.plans import (
    Plan,
    PlanCheck,
    PlanCheckResult,
    PlanFinished,
    PlanStep,
    PlanStepWritten,
    PlanTask,
)
from shared.contracts.verdicts import Verdict, VerdictTask, VerdictUnparsable
from shared.errors import (
    BadReplyError,
    InterleaveError,
    ServiceRejectedError,
    ServiceTimeoutError,
    ServiceUnavailableError,
)
from tests.fakes.model_server import Behaviour, serving

TASK = PlanTask(trajectory_id="trj_1", prompt="A house.")
STEP = PlanStep(step_number=1, prompt="a house")
REF = ImageRef(bucket="b", key="k", sha256="0" * 64, size_bytes=1, width_px=1, height_px=1)
JUDGE = VerdictTask(trajectory_id="trj_1", before=None, after=REF, plan_prompt="a", used_prompt="a")
WRITTEN = PlanStepWritten(step=STEP).model_dump_json()
FINISHED = PlanFinished(plan=Plan(steps=(STEP,))).model_dump_json()


def after(seconds: float) -> Callable[[], bool]:
    """A ``cancelled`` that becomes true later."""
    at = time.monotonic() + seconds
    return lambda: time.monotonic() >= at


def _drain(lines: Iterator[object]) -> list[object]:
    return list(lines)


def test_a_plan_arrives_step_by_step() -> None:
    with serving(Behaviour(lines=(WRITTEN, FINISHED), pause_s=0.3)) as url:
        messages = PlannerClient(url).plan(TASK)
        started = time.monotonic()
        assert next(messages) == PlanStepWritten(step=STEP)
        assert time.monotonic() - started < 0.55
        assert next(messages) == PlanFinished(plan=Plan(steps=(STEP,)))
        assert next(messages, None) is None


def test_a_verdict_and_an_unreadable_one_are_both_answers() -> None:
    verdict = Verdict(success=False, refine_prompt="draw it larger")
    for reply in (verdict, VerdictUnparsable(detail="no braces")):
        with serving(Behaviour(lines=(reply.model_dump_json(),))) as url:
            assert CriticClient(url).judge(JUDGE) == reply


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, ServiceRejectedError),
        (404, ServiceRejectedError),
        (422, ServiceRejectedError),
        (429, ServiceUnavailableError),
        (500, ServiceUnavailableError),
        (503, ServiceUnavailableError),
        (504, ServiceTimeoutError),
    ],
)
def test_a_status_becomes_a_typed_error(status: int, expected: type[InterleaveError]) -> None:
    problem = '{"detail": "the reason"}'
    with (
        serving(Behaviour(status=status, lines=(problem,))) as url,
        pytest.raises(expected, match="the reason"),
    ):
        CriticClient(url).judge(JUDGE)


def test_a_refusal_behind_the_service_is_final_too() -> None:
    problem = '{"detail": "too long", "code": "service_rejected"}'
    with (
        serving(Behaviour(status=502, lines=(problem,))) as url,
        pytest.raises(ServiceRejectedError, match="too long"),
    ):
        CriticClient(url).judge(JUDGE)


@pytest.mark.parametrize("lines", [("<html>", FINISHED), ('{"type": "step"}',), (WRITTEN,), ()])
def test_rubbish_or_half_a_plan_is_a_bad_reply(lines: tuple[str, ...]) -> None:
    with serving(Behaviour(lines=lines)) as url, pytest.raises(BadReplyError):
        _drain(PlannerClient(url).plan(TASK))


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(ServiceUnavailableError):
        CriticClient("http://127.0.0.1:9").judge(JUDGE)


def test_a_broken_stream_is_unavailable() -> None:
    with (
        serving(Behaviour(lines=(WRITTEN,), hangs_up=True)) as url,
        pytest.raises(ServiceUnavailableError),
    ):
        _drain(PlannerClient(url).plan(TASK))


def test_silence_and_slowness_time_out() -> None:
    for limits in (CallTimeouts(silence_s=0.3), CallTimeouts(total_s=0.3)):
        started = time.monotonic()
        with (
            serving(Behaviour(lines=(FINISHED,), pause_s=5)) as url,
            pytest.raises(ServiceTimeoutError),
        ):
            _drain(PlannerClient(url, timeouts=limits).plan(TASK))
        assert time.monotonic() - started < 1.5


def test_cancelling_closes_the_connection_within_a_second() -> None:
    hanging = Behaviour(lines=(FINISHED,), pause_s=10)
    with serving(hanging) as url:
        started = time.monotonic()
        with pytest.raises(CallCancelledError):
            CriticClient(url).judge(JUDGE, after(0.2))
        assert time.monotonic() - started < 1.0
        assert hanging.left_early.wait(1.0)


def test_leaving_the_plan_early_closes_the_connection() -> None:
    slow = Behaviour(lines=(WRITTEN, FINISHED), pause_s=0.2)
    with serving(slow) as url:
        messages = PlannerClient(url).plan(TASK)
        next(messages)
        messages.close()
        assert slow.left_early.wait(1.0)


def test_nothing_is_sent_when_cancelled_before() -> None:
    server = Behaviour(lines=(FINISHED,))
    with serving(server) as url, pytest.raises(CallCancelledError):
        CriticClient(url).judge(JUDGE, lambda: True)
    assert server.bodies == []


async def test_a_check_is_answered_and_a_dead_planner_is_not_ready() -> None:
    result = PlanCheckResult(ok=False, code="out_of_scope", detail="No rockets.")
    with serving(Behaviour(lines=(result.model_dump_json(),))) as url:
        assert await PlannerClient(url).check(PlanCheck(prompt="A rocket.")) == result
        assert await PlannerClient(url).ready()
    assert not await PlannerClient("http://127.0.0.1:9").ready()
    with pytest.raises(ServiceUnavailableError):
        await GeneratorClient("http://127.0.0.1:9").info()


async def test_rubbish_instead_of_a_description_is_a_bad_reply() -> None:
    with serving(Behaviour(lines=("{}",))) as url, pytest.raises(BadReplyError):
        await GeneratorClient(url).info()
