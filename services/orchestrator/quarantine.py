"""Keeps a command that may be what kills its workers away from others of the same suspicion.

When a worker process dies, everything it was carrying out ends with it and is sent again, all at
about the same time: without this, innocent commands would die with a poisonous one again and
again and be given up as poison themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from shared.stores.leases import Lease

UNSUSPECTED: Final = 2
"""Executions before a command is a suspect: once may happen to anybody, twice hardly."""


class Quarantine:
    """Lets one suspect at a time run in this process; the others come again later."""

    def __init__(self) -> None:
        self._taken = threading.Lock()

    @contextmanager
    def admitting(self, lease: Lease) -> Generator[bool]:
        """Whether this command may run now, for the length of the block."""
        if lease.execution <= UNSUSPECTED:
            yield True
            return
        admitted = self._taken.acquire(blocking=False)
        try:
            yield admitted
        finally:
            if admitted:
                self._taken.release()
