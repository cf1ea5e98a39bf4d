"""Problem details (RFC 9457) as stored in a trajectory and sent to clients."""

from __future__ import annotations

from shared.contracts.wire import Wire


class FieldProblem(Wire):
    """One invalid field; ``pointer`` is a JSON pointer into the request body."""

    pointer: str
    detail: str


class Problem(Wire):
    """Why something failed: ``code`` is stable, ``detail`` tells the reader what to do."""

    code: str
    title: str
    detail: str
    status: int = 500
    errors: tuple[FieldProblem, ...] = ()
