"""Ties a child's life to its parent's: when the parent is killed, its children end too.

Only what runs in the child between fork and exec, or in the child itself, lives here.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_ON_LINUX = sys.platform == "linux"
_LIBC = ctypes.CDLL(None, use_errno=True)


def tether(*, nice: int, when_parent_dies: signal.Signals) -> Callable[[], None]:
    """What ``Popen`` should run in the child; must be used from the parent's main thread.

    Linux sends the signal when the *thread* that forked ends, hence the main thread.
    Elsewhere only the niceness is set.
    """
    parent = os.getpid()

    def in_child() -> None:
        os.nice(nice)
        if not _ON_LINUX:
            return
        end_with_parent(when_parent_dies)
        if os.getppid() != parent:
            os._exit(1)

    return in_child


def end_with_parent(when_it_dies: signal.Signals) -> None:
    """Have this process sent a signal when its parent ends; nothing where there is no Linux."""
    if _ON_LINUX:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(when_it_dies), 0, 0, 0)
