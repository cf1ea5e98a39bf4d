"""``Leases`` in memory, without expiry: ``take_away`` gives one to somebody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shared.stores.leases import Lease


class InMemoryLeases:
    """See ``shared.stores.leases.Leases``; knows no records."""

    def __init__(self) -> None:
        self._holders: dict[tuple[str, str], str] = {}
        self._executions: Counter[tuple[str, str]] = Counter()
        self._deaths: Counter[tuple[str, str]] = Counter()
        self._sent: set[tuple[str, str]] = set()
        self.renewed: list[tuple[str, str]] = []

    def acquire(self, trajectory_id: str, command_id: str, *, ttl_s: float) -> Lease | None:
        place = (trajectory_id, command_id)
        if place in self._holders:
            return None
        self._executions[place] += 1
        self._holders[place] = f"token-{sum(self._executions.values())}"
        return Lease(self._holders[place], self._executions[place], None, self._deaths[place])

    def renew(self, trajectory_id: str, command_id: str, *, token: str, ttl_s: float) -> bool:
        self.renewed.append((trajectory_id, command_id))
        return self._holders.setdefault((trajectory_id, command_id), token) == token

    def release(
        self, trajectory_id: str, command_id: str, *, token: str, counts: bool = True
    ) -> None:
        place = (trajectory_id, command_id)
        if self._holders.get(place) == token:
            del self._holders[place]
            self._executions[place] -= not counts

    def note_death(self, trajectory_id: str, command_id: str) -> None:
        self._deaths[trajectory_id, command_id] += 1

    def alive(self, trajectory_id: str, command_ids: Sequence[str]) -> set[str]:
        return {name for name in command_ids if (trajectory_id, name) in self._holders}

    def may_resend(
        self, trajectory_id: str, command_id: str, *, now_s: float, pause_s: float
    ) -> bool:
        place = (trajectory_id, command_id)
        if place in self._holders or place in self._sent:
            return False
        self._sent.add(place)
        return True

    def take_away(self, trajectory_id: str, command_id: str) -> None:
        """Let somebody else hold it."""
        self._holders[(trajectory_id, command_id)] = "somebody else"
