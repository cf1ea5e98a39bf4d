"""Which status may follow which, and why; the diagram in ARCHITECTURE.md is made of this."""

from __future__ import annotations

from types import MappingProxyType

from shared.contracts.trajectories import Status
from shared.errors import InternalError

_Q, _P, _A, _R = Status.QUEUED, Status.PLANNING, Status.AWAITING_APPROVAL, Status.RUNNING
_S, _PS, _F = Status.SUCCEEDED, Status.PARTIALLY_SUCCEEDED, Status.FAILED
_C, _E = Status.CANCELLED, Status.EXPIRED

TRANSITIONS = MappingProxyType(
    {
        (_Q, _P): "a worker takes up the plan",
        (_Q, _F): "the planner fails",
        (_Q, _C): "cancel",
        (_Q, _E): "deadline",
        (_Q, _PS): "deadline of a fork with kept steps",
        (_P, _R): "first step, or the plan",
        (_P, _A): "the plan, to be approved",
        (_P, _F): "the planner fails",
        (_P, _C): "cancel",
        (_P, _E): "deadline",
        (_P, _PS): "deadline of a fork with kept steps",
        (_A, _R): "approve",
        (_A, _C): "cancel",
        (_A, _E): "deadline",
        (_A, _PS): "deadline of a fork with kept steps",
        (_R, _S): "every step accepted",
        (_R, _PS): "deadline, budget, failure or an unaccepted step",
        (_R, _F): "failure with nothing to show, or on_exhausted = fail",
        (_R, _C): "cancel",
        (_R, _E): "deadline with nothing to show",
        (_S, _R): "retry a step",
        (_PS, _R): "retry a step",
        (_F, _R): "retry a step",
        (_C, _R): "retry a step",
        (_E, _R): "retry a step",
    }
)


def check_transition(old: Status, new: Status) -> None:
    """Raise unless the table allows it.

    Raises:
        InternalError: the machine tried a change that its own table does not have.
    """
    if (old, new) not in TRANSITIONS:
        message = f"no transition from {old} to {new}"
        raise InternalError(message)


def mermaid() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Status.QUEUED}"]
    lines += [f"    {old} --> {new}: {why}" for (old, new), why in TRANSITIONS.items()]
    lines += [f"    {status} --> [*]" for status in Status if status.final]
    return "\n".join(lines) + "\n"


def diagram_page() -> str:
    """``docs/state-machine.md``: the diagram with a line on where it comes from."""
    intro = "Drawn by `make diagram` from `services/orchestrator/machine/statuses.py`."
    return f"# States of a trajectory\n\n{intro}\n\n```mermaid\n{mermaid()}```\n"
