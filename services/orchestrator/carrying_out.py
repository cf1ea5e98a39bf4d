"""One command, carried out: asks a model service and tells what happened.

No retries, no saving: see ``patience`` and ``workflow``.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

from services.orchestrator.calls import generate_task, plan_task, verdict_task
from services.orchestrator.ports import Cancelled, Engines
from shared.contracts.events import (
    CommandFailed,
    Happening,
    PictureArrived,
    PlanArrived,
    PlanStarted,
    PlanStepArrived,
    VerdictArrived,
)
from shared.contracts.generation import PictureRefused
from shared.contracts.plans import PlanFinished, PlanRefused, PlanStepWritten
from shared.contracts.problems import Problem
from shared.contracts.trajectories import (
    Command,
    CritiqueCommand,
    GenerateCommand,
    PlanCommand,
    Trajectory,
)
from shared.contracts.verdicts import Verdict
from shared.errors import (
    BadReplyError,
    PictureRefusedError,
    PlanUnusableError,
    ServiceRejectedError,
)


def carry_out(
    state: Trajectory, command: Command, engines: Engines, cancelled: Cancelled
) -> Generator[Happening]:
    """Everything that happens while the command runs, as it happens.

    Raises:
        InterleaveError: whatever the client raises; ``retryable`` says what to do.
    """
    match command:
        case PlanCommand():
            yield from _plan(state, command, engines, cancelled)
        case GenerateCommand():
            yield _draw(state, command, engines, cancelled)
        case CritiqueCommand():
            yield _judge(state, command, engines, cancelled)


def _plan(
    state: Trajectory, command: PlanCommand, engines: Engines, cancelled: Cancelled
) -> Generator[Happening]:
    yield PlanStarted(command_id=command.id)
    if command.given is not None:
        yield PlanArrived(command_id=command.id, plan=command.given)
        return
    written = 0
    with closing(engines.planner.plan(plan_task(state), cancelled)) as messages:
        for message in messages:
            match message:
                case PlanStepWritten():
                    yield PlanStepArrived(command_id=command.id, index=written, step=message.step)
                    written += 1
                case PlanFinished():
                    yield PlanArrived(
                        command_id=command.id,
                        plan=message.plan,
                        model=message.model,
                        model_version=message.model_version,
                    )
                    return
                case PlanRefused():
                    yield CommandFailed(command_id=command.id, problem=_refused_plan(message))
                    return
    raise BadReplyError("The planner ended without a plan.")


def _draw(
    state: Trajectory, command: GenerateCommand, engines: Engines, cancelled: Cancelled
) -> Happening:
    generator = engines.generators.get(state.request.generator)
    if generator is None:
        message = f"There is no generator named {state.request.generator} any more."
        raise ServiceRejectedError(message)
    reply = generator.draw(generate_task(state, command), cancelled)
    if isinstance(reply, PictureRefused):
        return CommandFailed(command_id=command.id, problem=_refusal(reply))
    return PictureArrived(command_id=command.id, picture=reply)


def _judge(
    state: Trajectory, command: CritiqueCommand, engines: Engines, cancelled: Cancelled
) -> Happening:
    reply = engines.critic.judge(verdict_task(state, command), cancelled)
    if isinstance(reply, Verdict):
        return VerdictArrived(command_id=command.id, verdict=reply)
    return VerdictArrived(command_id=command.id, verdict=None, detail=reply.detail)


def _refused_plan(reply: PlanRefused) -> Problem:
    problem = PlanUnusableError(reply.detail).problem()
    return problem.model_copy(update={"code": reply.code})


def _refusal(reply: PictureRefused) -> Problem:
    # The machine knows a refusal by this one code, whatever the generator calls it.
    return PictureRefusedError(f"{reply.detail} ({reply.code})").problem()
