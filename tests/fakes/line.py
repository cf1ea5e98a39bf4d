"""Fair admission in memory: what the scripts do inside Redis, said in Python."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.contracts.admission import Lane, Ticket
from shared.contracts.trajectories import Trajectory
from shared.stores.trajectories import BATCH_EVERY, place_in_line, score_of


@dataclass(slots=True)
class Line:
    """Who waits and who is in flight."""

    queued: dict[str, Trajectory] = field(default_factory=dict[str, Trajectory])
    admitted: dict[str, str] = field(default_factory=dict[str, str])
    """Trajectory id -> API key."""
    passes: dict[tuple[Lane, str], float] = field(default_factory=dict[tuple[Lane, str], float])
    clock: dict[Lane, float] = field(default_factory=lambda: dict.fromkeys(Lane, 0.0))
    terms: dict[str, Ticket] = field(default_factory=dict[str, Ticket])
    turns: int = 0

    def note(self, trajectory: Trajectory) -> None:
        """A version was saved."""
        ticket, place = trajectory.ticket, place_in_line(trajectory)
        if ticket is None:
            return
        if place == "wait" and trajectory.id not in self.admitted:
            self._queue(trajectory, ticket)
            return
        self.queued.pop(trajectory.id, None)
        if place == "rest":
            self.admitted.pop(trajectory.id, None)
        else:
            self.admitted[trajectory.id] = ticket.key

    def holds(self, trajectory_id: str) -> bool:
        """Whether it waits."""
        return trajectory_id in self.queued

    def waiting(self, key: str) -> int:
        """How many wait of a key."""
        return sum(t.ticket is not None and t.ticket.key == key for t in self.queued.values())

    def let_in(self, *, most_in_flight: int, limit: int) -> list[str]:
        """See ``TrajectoryStore.admit``."""
        found: list[str] = []
        while len(found) < limit and len(self.admitted) < most_in_flight:
            lanes = [Lane.INTERACTIVE, Lane.BATCH]
            if (self.turns + 1) % BATCH_EVERY == 0:
                lanes.reverse()
            name = self._next(lanes[0]) or self._next(lanes[1])
            if name is None:
                break
            self.turns += 1
            found.append(name)
        return found

    def _queue(self, trajectory: Trajectory, ticket: Ticket) -> None:
        place = (ticket.lane, ticket.key)
        if ticket.key not in self._first_of(ticket.lane):
            self.passes[place] = max(self.passes.get(place, 0.0), self.clock[ticket.lane])
        self.terms[ticket.key] = ticket
        self.queued.setdefault(trajectory.id, trajectory)

    def _next(self, lane: Lane) -> str | None:
        first = self._first_of(lane)
        stepped_over: list[str] = []
        for key in sorted(first, key=lambda key: (self.passes[lane, key], key)):
            limit = self.terms[key].max_in_flight
            if limit is not None and list(self.admitted.values()).count(key) >= limit:
                stepped_over.append(key)
                continue
            self.clock[lane] = max(self.clock[lane], self.passes[lane, key])
            self.passes[lane, key] += 1 / self.terms[key].weight
            for other in stepped_over:
                self.passes[lane, other] = max(self.passes[lane, other], self.clock[lane])
            self.admitted[first[key]] = key
            del self.queued[first[key]]
            return first[key]
        return None

    def _first_of(self, lane: Lane) -> dict[str, str]:
        """Key -> its trajectory that has waited longest."""
        found: dict[str, str] = {}
        for each in sorted(self.queued.values(), key=lambda t: (score_of(t.created_at), t.id)):
            if each.ticket is not None and each.ticket.lane is lane:
                found.setdefault(each.ticket.key, each.id)
        return found
