"""A trajectory while one happening is worked in: the new state, commands and events so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from services.orchestrator.machine.statuses import check_transition
from shared.contracts.events import PublicEvent
from shared.contracts.plans import PlanStep
from shared.contracts.problems import Problem
from shared.contracts.trajectories import Attempt, Command, Status, StepState, Trajectory


@dataclass(slots=True)
class Draft:
    """Collects changes; ``state`` itself is never mutated, only replaced."""

    state: Trajectory
    now: datetime
    commands: list[Command] = field(default_factory=list[Command])
    events: list[PublicEvent] = field(default_factory=list[PublicEvent])

    def change(self, **fields: object) -> None:
        """Replace fields of the trajectory."""
        self.state = self.state.model_copy(update=fields)

    def change_step(self, index: int, **fields: object) -> None:
        """Replace fields of one step."""
        steps = list(self.state.steps)
        steps[index] = steps[index].model_copy(update=fields)
        self.change(steps=tuple(steps))

    def change_attempt(self, index: int, number: int, **fields: object) -> None:
        """Replace fields of one attempt; numbers count from 1 without gaps."""
        attempts = list(self.state.steps[index].attempts)
        attempts[number - 1] = attempts[number - 1].model_copy(update=fields)
        self.change_step(index, attempts=tuple(attempts))

    def add_attempt(self, index: int, attempt: Attempt) -> None:
        """Append an attempt to a step."""
        self.change_step(index, attempts=(*self.state.steps[index].attempts, attempt))

    def count(self, **calls: int) -> None:
        """Add to the usage."""
        usage = self.state.usage
        sums = {name: getattr(usage, name) + number for name, number in calls.items()}
        self.change(usage=usage.model_copy(update=sums))

    def order(self, command: Command) -> None:
        """Make a command pending, to be sent after the save."""
        self.change(pending=(*self.state.pending, command))
        self.commands.append(command)

    def drop(self, unwanted: Callable[[Command], bool]) -> None:
        """Forget pending commands; whoever runs one stops when it notices."""
        self.change(pending=tuple(c for c in self.state.pending if not unwanted(c)))
        self.commands = [c for c in self.commands if not unwanted(c)]

    def move_to(self, status: Status, problem: Problem | None = None) -> None:
        """Change the status and say so; staying where it is says nothing."""
        if status is self.state.status:
            return
        check_transition(self.state.status, status)
        self.change(status=status)
        self.emit(f"trajectory.{status}", problem=problem)

    def emit(
        self,
        kind: str,
        step: StepState | None = None,
        *,
        attempt: int | None = None,
        text: str | None = None,
        success: bool | None = None,
        image_sha256: str | None = None,
        plan_step: PlanStep | None = None,
        problem: Problem | None = None,
    ) -> None:
        """Publish an event under the next number."""
        number = None if step is None else step.plan.step_number
        sequence = self.state.sequence + 1
        self.change(sequence=sequence)
        self.events.append(
            PublicEvent(
                sequence=sequence,
                type=kind,
                trajectory_id=self.state.id,
                at=self.now,
                step=number,
                attempt=attempt,
                text=text,
                success=success,
                image_sha256=image_sha256,
                plan_step=plan_step,
                problem=problem,
            )
        )
