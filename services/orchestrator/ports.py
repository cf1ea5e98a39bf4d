"""What the orchestrator needs from outside, as Protocols."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.contracts.generation import GenerateTask, Picture, PictureRefused
from shared.contracts.plans import PlanFinished, PlanRefused, PlanStepWritten, PlanTask
from shared.contracts.trajectories import Command
from shared.contracts.verdicts import Verdict, VerdictTask, VerdictUnparsable
from shared.contracts.webhooks import WebhookEndpoint

Cancelled = Callable[[], bool]
Clock = Callable[[], datetime]
"""Gives the present time with its time zone."""


class Planner(Protocol):
    """Writes plans."""

    def plan(
        self, task: PlanTask, cancelled: Cancelled
    ) -> abc.Generator[PlanStepWritten | PlanFinished | PlanRefused]:
        """Steps as they are written, then exactly one end message."""
        ...


class Critic(Protocol):
    """Judges pictures."""

    def judge(self, task: VerdictTask, cancelled: Cancelled) -> Verdict | VerdictUnparsable:
        """The verdict on one picture."""
        ...


class Generator(Protocol):
    """Draws pictures."""

    def draw(self, task: GenerateTask, cancelled: Cancelled) -> Picture | PictureRefused:
        """One picture, already in the object store."""
        ...


@dataclass(frozen=True, slots=True)
class Engines:
    """Everything that thinks or draws; ``generators`` by the name a request asks for."""

    planner: Planner
    critic: Critic
    generators: Mapping[str, Generator]


class Dispatcher(Protocol):
    """Tells workers that there is work; best effort, never raises."""

    def send_commands(self, trajectory_id: str, commands: Sequence[Command]) -> None:
        """Queue commands."""
        ...

    def send_deliveries(self, delivery_ids: Sequence[str]) -> None:
        """Queue webhook deliveries."""
        ...


class SnapshotWriter(Protocol):
    """Keeps snapshots for disaster recovery; returns at once and never raises."""

    def keep(self, trajectory_id: str) -> None:
        """Write its newest version soon."""
        ...


class EndpointReader(Protocol):
    """Who wants to hear of a tenant's trajectories (see ``shared.stores.endpoints``)."""

    def of(self, tenant: str) -> Sequence[WebhookEndpoint]:
        """All of a tenant's endpoints."""
        ...


class SigningSecrets(Protocol):
    """Where a tenant's webhook secret is found (see ``shared.stores.tenants``)."""

    def webhook_secret(self, tenant: str) -> str | None:
        """The ``whsec_...`` secret, or None."""
        ...
