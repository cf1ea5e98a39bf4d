"""The state machine: the only code that changes a trajectory's status.

Pure: no clock, no randomness, no I/O. ``advance`` takes a state and what happened, and gives
the next state, the commands to send and the public events to publish. A happening that is
late, doubled or unknown changes nothing.

    advance.py      what happened -> which fact to record, then ``progress``
    planning.py     facts about the plan            drawing.py   attempts and their sources
    progress.py     starts whatever can start       judging.py   verdicts, which attempt counts
    speculating.py  drawing ahead of the verdict    retrying.py  re-opening a step
    ending.py       every way to a final status     statuses.py  the table of status changes
"""

from services.orchestrator.machine.advance import Step, advance

__all__ = ["Step", "advance"]
