"""The journal: each trajectory's newest snapshot in the bucket, for when Redis loses all.

Written at creation (before the caller is answered), when the plan is complete, after every
finished step and at the end. ``rebuild`` puts into an empty store what the journal knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from pydantic import ValidationError

from shared.contracts.trajectories import Trajectory
from shared.contracts.webhooks import Delivery
from shared.stores.keys import journal_key
from shared.stores.trajectories import TrajectoryStore

_PREFIX = journal_key("").removesuffix(".json")


class JournalObjects(Protocol):
    """What the journal needs of an ``ImageStore``."""

    def put_json(self, key: str, text: str) -> None:
        """Store a JSON document."""
        ...

    def get_json(self, key: str) -> str | None:
        """A stored JSON document, or None."""
        ...

    def list_keys(self, prefix: str) -> Iterator[str]:
        """All keys that start with ``prefix``."""
        ...

    def delete(self, key: str) -> None:
        """Remove one object if it is there."""
        ...


class Journal:
    """Snapshots of trajectories in an object store."""

    def __init__(self, objects: JournalObjects) -> None:
        self._objects = objects

    def write(self, trajectory: Trajectory) -> None:
        """Keep this version as the newest."""
        self._objects.put_json(journal_key(trajectory.id), trajectory.model_dump_json())

    def read(self, trajectory_id: str) -> Trajectory | None:
        """The newest snapshot, or None if there is none that can be read."""
        text = self._objects.get_json(journal_key(trajectory_id))
        if text is None:
            return None
        try:
            return Trajectory.model_validate_json(text)
        except ValidationError:
            return None  # written by a version we do not know: one record, not a stop for all

    def delete(self, trajectory_id: str) -> None:
        """Forget a trajectory."""
        self._objects.delete(journal_key(trajectory_id))

    def ids(self) -> Iterator[str]:
        """Ids of all trajectories that have a snapshot."""
        for key in self._objects.list_keys(_PREFIX):
            yield key.removeprefix(_PREFIX).removesuffix(".json")


def rebuild(
    journal: Journal,
    store: TrajectoryStore,
    *,
    webhooks: Callable[[Trajectory], Sequence[Delivery]],
) -> int:
    """Restore every trajectory the store lacks; gives how many it put back.

    Args:
        journal: where the snapshots are.
        store: what lost its data; records that exist are left as they are.
        webhooks: the deliveries that a restored record must still have (known ids make
            repeats recognisable to the receiver).
    """
    restored = 0
    for trajectory_id in journal.ids():
        trajectory = journal.read(trajectory_id)
        if trajectory is not None:
            restored += store.restore(trajectory, webhooks=webhooks(trajectory))
    store.mark_intact()
    return restored
