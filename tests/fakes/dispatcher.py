"""Dispatchers and snapshot writers that only remember."""

from __future__ import annotations

from collections.abc import Sequence

from shared.contracts.trajectories import Command


class RemembersMessages:
    """A ``Dispatcher`` without a queue behind it."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, str]] = []
        self.deliveries: list[str] = []

    def send_commands(self, trajectory_id: str, commands: Sequence[Command]) -> None:
        self.commands += [(trajectory_id, command.id) for command in commands]

    def send_deliveries(self, delivery_ids: Sequence[str]) -> None:
        self.deliveries += delivery_ids


class RemembersSnapshots:
    """A ``SnapshotWriter`` without a bucket behind it."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    def keep(self, trajectory_id: str) -> None:
        self.kept.append(trajectory_id)
