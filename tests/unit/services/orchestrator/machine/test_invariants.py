"""A rule-based machine drives ``advance`` in any order and checks what must always hold."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from services.orchestrator.machine import advance
from shared.contracts.events import (
    CancelRequested,
    CommandFailed,
    DeadlinePassed,
    Happening,
    PictureArrived,
    PlanApproved,
    PlanArrived,
    PlanEdited,
    PlanStarted,
    PlanStepArrived,
    StepRetryRequested,
    VerdictArrived,
)
from shared.contracts.generation import Picture
from shared.contracts.plans import PlanStep
from shared.contracts.profiles import Approval, OnExhausted, References, Speculation
from shared.contracts.trajectories import (
    Attempt,
    CritiqueCommand,
    ForkOrigin,
    GenerateCommand,
    PlanCommand,
    Status,
    StepState,
    StepStatus,
    Trajectory,
)
from shared.contracts.verdicts import Verdict
from shared.errors import PictureRefusedError, ServiceUnavailableError
from tests.trajectories import START, image, plan_of, profile, trajectory

PROMPTS = st.lists(st.sampled_from([None, "a", "b"]), min_size=1, max_size=4)
PROFILES = st.builds(
    profile,
    max_attempts=st.integers(1, 3),
    on_exhausted=st.sampled_from(OnExhausted),
    references=st.sampled_from(References),
    speculation=st.sampled_from(Speculation),
    critic=st.booleans(),
    critic_on_last_attempt=st.booleans(),
)


def with_kept_step(state: Trajectory, prompts: list[str | None]) -> Trajectory:
    """The first version of a fork that keeps one step."""
    plan = plan_of(*prompts)
    attempt = Attempt(number=1, prompt=prompts[0] or "", seed=1, image=image("kept"))
    kept = StepState(plan=plan.steps[0], status=StepStatus.TEXT)
    if prompts[0] is not None:
        kept = StepState(
            plan=plan.steps[0], status=StepStatus.ACCEPTED, attempts=(attempt,), chosen=1
        )
    origin = ForkOrigin(trajectory_id="trj_0", step=2, kept_steps=1, sha256=image("kept").sha256)
    pending = (PlanCommand(id="plan", given=plan),)
    changes = {"steps": (kept,), "forked_from": origin, "pending": pending}
    return state.model_copy(update=changes)


class Life(RuleBasedStateMachine):
    """One trajectory; every happening is fed twice."""

    state: Trajectory
    sequence: int
    plan: list[str | None]
    drawn: int = 0

    @initialize(
        settings=PROFILES,
        approval=st.sampled_from(Approval),
        budget=st.integers(0, 12),
        plan=PROMPTS,
        exact=st.booleans(),
        forked=st.booleans(),
    )
    def begin(
        self,
        settings: object,
        approval: Approval,
        *,
        budget: int,
        plan: list[str | None],
        exact: bool,
        forked: bool,
    ) -> None:
        self.state = trajectory(
            settings,  # type: ignore[arg-type]
            approval=approval,
            max_generator_calls=budget,
            deadline_s=60,
            steps=len(plan) if exact else None,
        )
        if forked:
            self.state = with_kept_step(self.state, plan)
        self.now = START
        self.plan = plan
        self.sequence = 1

    def feed(self, happening: Happening) -> None:
        """Feed twice: the second time must change nothing."""
        before = self.state
        step = advance(before, happening, now=self.now)
        assert [e.sequence for e in step.events] == [
            self.sequence + n for n in range(1, len(step.events) + 1)
        ]
        assert set(step.commands) <= set(step.state.pending)
        if before.status.final and not isinstance(happening, StepRetryRequested):
            assert step.state is before
        again = advance(step.state, happening, now=self.now)
        assert again.state is step.state
        assert not again.commands
        assert not again.events
        self.state, self.sequence = step.state, self.sequence + len(step.events)

    @rule(index=st.integers(0, 4))
    def write_step(self, index: int) -> None:
        index = min(index, len(self.plan) - 1)
        step = PlanStep(step_number=index + 1, prompt=self.plan[index], instruction="i")
        self.feed(PlanStepArrived(command_id="plan", index=index, step=step))

    @rule()
    def start_plan(self) -> None:
        self.feed(PlanStarted(command_id="plan"))

    @rule(prompts=PROMPTS, same=st.booleans())
    def finish_plan(self, prompts: list[str | None], *, same: bool) -> None:
        plan = plan_of(*(self.plan if same else prompts))
        self.feed(PlanArrived(command_id="plan", plan=plan))

    @precondition(lambda self: self.state.pending)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        command = data.draw(st.sampled_from(self.state.pending))
        self.drawn += 1
        match command:
            case PlanCommand():
                self.feed(PlanArrived(command_id=command.id, plan=plan_of(*self.plan)))
            case GenerateCommand():
                picture = Picture(image=image(f"{command.id}-{self.drawn}"))
                self.feed(PictureArrived(command_id=command.id, picture=picture))
            case CritiqueCommand():
                success = data.draw(st.sampled_from([True, False, None]))
                verdict = None if success is None else Verdict(success=success, refine_prompt="r")
                self.feed(VerdictArrived(command_id=command.id, verdict=verdict))

    @precondition(lambda self: self.state.pending)
    @rule(data=st.data(), refused=st.booleans())
    def fail(self, data: st.DataObject, *, refused: bool) -> None:
        command = data.draw(st.sampled_from(self.state.pending))
        error = PictureRefusedError() if refused else ServiceUnavailableError()
        self.feed(CommandFailed(command_id=command.id, problem=error.problem()))

    @rule(step=st.integers(0, 4), attempt=st.integers(1, 4))
    def late_picture(self, step: int, attempt: int) -> None:
        if f"generate-{step}-{attempt}" not in {c.id for c in self.state.pending}:
            before = self.state
            picture = Picture(image=image("late"))
            self.feed(PictureArrived(command_id=f"generate-{step}-{attempt}", picture=picture))
            assert self.state is before

    @rule(sure=st.integers(0, 9))
    def cancel(self, sure: int) -> None:
        if sure == 0:
            self.feed(CancelRequested())

    @rule(seconds=st.integers(0, 12))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.feed(DeadlinePassed())

    @rule(prompts=PROMPTS)
    def edit(self, prompts: list[str | None]) -> None:
        revision = self.state.plan_revision + 1
        self.feed(PlanEdited(plan=plan_of(*prompts), revision=revision))

    @rule()
    def approve(self) -> None:
        self.feed(PlanApproved())

    @rule(step=st.integers(0, 4), prompt=st.sampled_from([None, "again"]))
    def retry(self, step: int, prompt: str | None) -> None:
        step = min(step, max(len(self.state.steps) - 1, 0))
        attempts = self.state.steps[step].attempts if self.state.steps else ()
        done = len([a for a in attempts if not a.speculative])
        self.feed(StepRetryRequested(step=step, prompt=prompt, after_attempt=done))

    @invariant()
    def calls_stay_within_the_budget(self) -> None:
        usage = self.state.usage
        ahead = sum(a.speculative for s in self.state.steps for a in s.attempts)
        total = usage.generator_calls + usage.discarded_calls + ahead
        assert total <= self.state.request.max_generator_calls

    @invariant()
    def attempts_stay_within_the_limit(self) -> None:
        for step in self.state.steps:
            numbers = [a.number for a in step.attempts]
            assert numbers == list(range(1, len(numbers) + 1))
            this_round = [n for n in numbers if n >= step.first_attempt]
            assert len(this_round) <= self.state.request.settings.max_attempts

    @invariant()
    def a_step_with_a_picture_has_one_chosen_attempt(self) -> None:
        for step in self.state.steps:
            if step.status in {StepStatus.ACCEPTED, StepStatus.KEPT}:
                assert step.chosen is not None
                assert step.image is not None
                assert step.chosen >= step.first_attempt
            else:
                assert step.chosen is None

    @invariant()
    def nothing_is_pending_at_the_end_and_something_while_it_runs(self) -> None:
        ids = [command.id for command in self.state.pending]
        assert len(ids) == len(set(ids))
        if self.state.status.final:
            assert not ids
            assert self.state.finished_at is not None
        elif self.state.status is not Status.AWAITING_APPROVAL:
            assert ids

    @invariant()
    def steps_are_done_in_order(self) -> None:
        done = [step.status.done for step in self.state.steps]
        assert done == sorted(done, reverse=True)

    @invariant()
    def the_record_survives_the_wire(self) -> None:
        assert Trajectory.model_validate_json(self.state.model_dump_json()) == self.state


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
