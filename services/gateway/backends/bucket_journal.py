"""The journal of accepted trajectories, as JSON objects in the image store's bucket."""

from __future__ import annotations

from shared.contracts.trajectories import Trajectory
from shared.stores.images import ImageStore
from shared.stores.keys import journal_key


class BucketJournal:
    """A ``Journal`` on an ``ImageStore``."""

    def __init__(self, images: ImageStore) -> None:
        self._images = images

    def write(self, trajectory: Trajectory) -> None:
        """See ``Journal.write``."""
        self._images.put_json(journal_key(trajectory.id), trajectory.model_dump_json())

    def delete(self, trajectory_id: str) -> None:
        """See ``Journal.delete``."""
        self._images.delete(journal_key(trajectory_id))
