"""Drawing ahead changes when things happen, never what comes out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.profiles import Speculation
from shared.contracts.trajectories import Command, CritiqueCommand, GenerateCommand, Status
from tests.trajectories import Driver, image, profile, trajectory


def _judging(**limits: int) -> Driver:
    driver = Driver(trajectory(profile(), **limits))  # type: ignore[arg-type]
    driver.plan("a", "b")
    driver.draw("generate-0-1")
    return driver


def test_the_next_step_is_drawn_from_the_candidate_while_the_critic_judges_it() -> None:
    driver = _judging()
    assert driver.pending == ["critique-0-1", "generate-1-1-after-0-1"]
    assert driver.state.steps[1].attempts[0].sources == (image("generate-0-1"),)
    assert "step.started" not in driver.kinds[driver.kinds.index("attempt.drawn") :]


def test_an_accepted_candidate_adopts_the_picture_drawn_ahead() -> None:
    driver = _judging()
    driver.draw("generate-1-1-after-0-1", "ahead")
    driver.judge("critique-0-1", success=True)
    assert driver.pending == ["critique-1-1"]
    assert driver.kinds[-3:] == ["step.finished", "step.started", "attempt.drawn"]
    driver.judge("critique-1-1", success=True)
    assert driver.state.status is Status.SUCCEEDED
    assert driver.state.usage.generator_calls == 2


def test_an_accepted_candidate_adopts_a_picture_still_being_drawn() -> None:
    driver = _judging()
    driver.judge("critique-0-1", success=True)
    (command,) = driver.state.pending
    assert isinstance(command, GenerateCommand)
    assert command.id == "generate-1-1-after-0-1"
    assert not command.speculative


def test_a_refused_candidate_drops_what_was_drawn_ahead() -> None:
    driver = _judging()
    driver.draw("generate-1-1-after-0-1")
    driver.judge("critique-0-1", success=False)
    assert driver.pending == ["generate-0-2"]
    assert driver.state.steps[1].attempts == ()
    assert driver.state.usage.discarded_calls == 1


def test_a_failure_ahead_is_forgotten_and_drawn_again_in_turn() -> None:
    driver = _judging()
    driver.fail("generate-1-1-after-0-1")
    assert driver.pending == ["critique-0-1"]
    driver.judge("critique-0-1", success=True)
    assert driver.pending == ["generate-1-1"]


def test_nothing_is_drawn_ahead_when_the_budget_would_not_cover_the_rest() -> None:
    assert _judging(max_generator_calls=6).pending == ["critique-0-1"]
    assert len(_judging(max_generator_calls=7).pending) == 2


def _outcome(driver: Driver) -> object:
    """What a manifest says: everything but how it was got."""
    state = driver.state
    return (
        state.status,
        state.usage.generator_calls,
        [(s.chosen, s.status, [a.model_dump() for a in s.attempts]) for s in state.steps],
        [event.model_dump(exclude={"at"}) for event in driver.events],
    )


def _run(verdicts: list[bool], speculation: Speculation, *, ahead_first: bool) -> Driver:
    driver = Driver(trajectory(profile(speculation=speculation, max_attempts=2)))
    driver.plan("a", None, "b", "c")
    calls = 0
    while not driver.state.status.final:
        pending: list[Command] = sorted(
            driver.state.pending, key=lambda c: isinstance(c, CritiqueCommand) is ahead_first
        )
        command = pending[0]
        if isinstance(command, GenerateCommand):
            attempt = driver.state.steps[command.step].attempts[command.attempt - 1]
            sources = "+".join(source.sha256 for source in attempt.sources)
            driver.draw(command.id, f"{attempt.prompt}|{attempt.seed}|{sources}")
        else:
            driver.judge(command.id, success=verdicts[calls % len(verdicts)])
            calls += 1
    return driver


@given(verdicts=st.lists(st.booleans(), min_size=1, max_size=6), ahead_first=st.booleans())
def test_the_result_and_its_events_equal_a_run_without(
    *, verdicts: list[bool], ahead_first: bool
) -> None:
    plain = _run(verdicts, Speculation.OFF, ahead_first=False)
    ahead = _run(verdicts, Speculation.AUTO, ahead_first=ahead_first)
    assert _outcome(ahead) == _outcome(plain)
