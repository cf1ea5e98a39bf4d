"""How the model services treat one trajectory: written into its prompt, so it outlives them."""

from __future__ import annotations

from typing import Final

from shared.contracts.wire import Wire

RIGHT: Final = "right"
HANG: Final = "hang"
RUBBISH: Final = "rubbish"
CUT: Final = "cut"
"""Begins to answer, then hangs up."""
DIE: Final = "die"
"""The service's process ends in the middle of the call."""
DIE_IN_SETUP: Final = "die_in_setup"
"""... and again when it is started anew."""
POISON: Final = "poison"
"""Whoever makes this call is killed."""
FOR_EVER: Final = "*"
"""Prefix: this and every later call."""

OPERATIONS: Final = ("plan", "draw", "judge")


def slow(seconds: float) -> str:
    """The right answer, late."""
    return f"slow:{seconds:g}"


def status(code: int) -> str:
    """An answer with this HTTP status."""
    return f"status:{code}"


class Script(Wire):
    """What happens on the first, second, ... call of each kind; afterwards all is right.

    ``draw`` and ``judge`` count per attempt of the steps in ``steps_hit``.
    """

    steps: int = 2
    plan: tuple[str, ...] = ()
    draw: tuple[str, ...] = ()
    judge: tuple[str, ...] = ()
    steps_hit: tuple[int, ...] = (1,)
    refused: tuple[int, ...] = ()
    """Attempts (from 1) of the steps in ``steps_hit`` that the critic finds wrong."""
    stops: bool = False
    """Tell the harness before and after every call, and wait until it says go on."""
    salt: int = 0
    """Makes requests different."""

    def prompt(self, step: int = 0) -> str:
        """As the text of a request (step 0) or of a step."""
        return f"{step}|{self.model_dump_json(exclude_defaults=True)}"

    def refuses(self, *, step: int, attempt: int) -> bool:
        """Whether the critic finds this attempt wrong."""
        return step in self.steps_hit and attempt in self.refused

    def answer(self, operation: str, *, step: int, call: int) -> str:
        """How the ``call``-th call (from 0) of this kind is answered."""
        answers: tuple[str, ...] = getattr(self, operation)
        if operation != "plan" and step not in self.steps_hit:
            return RIGHT
        if call < len(answers):
            return answers[call].removeprefix(FOR_EVER)
        repeated = bool(answers) and answers[-1].startswith(FOR_EVER)
        return answers[-1].removeprefix(FOR_EVER) if repeated else RIGHT


def parse(prompt: str) -> tuple[int, Script]:
    """Step and script out of a prompt; what else a prompt says is right at once."""
    step, bar, text = prompt.partition("|")
    if not bar or not step.isdecimal():
        return 0, Script()
    return int(step), Script.model_validate_json(text)
