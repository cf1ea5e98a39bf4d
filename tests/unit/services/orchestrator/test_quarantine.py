"""Who may run beside whom after workers died."""

from __future__ import annotations

import pytest

from services.orchestrator.quarantine import UNSUSPECTED, Quarantine
from shared.stores.leases import Lease


def lease(execution: int) -> Lease:
    return Lease("token", execution, None)


def test_commands_without_suspicion_run_side_by_side() -> None:
    quarantine = Quarantine()
    with quarantine.admitting(lease(1)) as one, quarantine.admitting(lease(UNSUSPECTED)) as other:
        assert one
        assert other


def test_a_second_suspect_waits_until_the_first_is_done() -> None:
    quarantine = Quarantine()
    with quarantine.admitting(lease(UNSUSPECTED + 1)) as first:
        assert first
        with quarantine.admitting(lease(UNSUSPECTED + 2)) as second:
            assert not second
        with quarantine.admitting(lease(1)) as fresh:
            assert fresh
    with quarantine.admitting(lease(UNSUSPECTED + 2)) as later:
        assert later


def test_a_suspect_that_fails_lets_the_next_one_in() -> None:
    quarantine = Quarantine()
    with pytest.raises(ZeroDivisionError), quarantine.admitting(lease(UNSUSPECTED + 1)):
        _ = 1 // 0
    with quarantine.admitting(lease(UNSUSPECTED + 1)) as next_one:
        assert next_one
