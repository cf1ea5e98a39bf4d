"""A trajectory in one process, with given engines."""

from __future__ import annotations

from services.orchestrator.local import run_local
from shared.contracts.events import PublicEvent
from shared.contracts.trajectories import Status, StepStatus, TrajectoryRequest
from shared.errors import ServiceUnavailableError
from tests.fakes.engines import (
    DrawsAtOnce,
    JudgesByScript,
    PlansAtOnce,
    RefusesPictures,
    RefusesPlans,
)
from tests.trajectories import image, profile, trajectory


def request(name: str = "paper", **fields: object) -> TrajectoryRequest:
    return trajectory(profile(name), **fields).request  # type: ignore[arg-type]


def test_it_runs_to_the_end_and_tells_what_happens() -> None:
    events: list[PublicEvent] = []
    done = run_local(
        request(),
        planner=PlansAtOnce(["a", None, "b"]),
        critic=JudgesByScript(),
        generator=DrawsAtOnce(),
        on_event=events.append,
    )
    assert done.status is Status.SUCCEEDED
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events[-1].type == "trajectory.succeeded"


def test_the_engines_are_asked_what_the_method_says() -> None:
    generator, critic = DrawsAtOnce(), JudgesByScript([False, None, True])
    done = run_local(
        request(images=[image("given")]),
        planner=PlansAtOnce(["a"]),
        critic=critic,
        generator=generator,
    )
    assert [task.prompt for task in generator.tasks] == ["a", "a!", "a!"]
    assert [task.seed for task in generator.tasks] == [0, 0, 0]
    assert {task.references for task in generator.tasks} == {(image("given"),)}
    assert [task.output_key.rpartition("/")[2] for task in generator.tasks] == [
        "1.png",
        "2.png",
        "3.png",
    ]
    assert [task.before for task in critic.tasks] == [image("given")] * 3
    assert [task.plan_prompt for task in critic.tasks] == ["a"] * 3
    assert [task.used_prompt for task in critic.tasks] == ["a", "a!", "a!"]
    assert not any(task.early for task in critic.tasks)
    assert done.steps[0].chosen == 3


def test_the_first_picture_of_a_text_request_is_judged_against_nothing() -> None:
    critic = JudgesByScript()
    run_local(request(), planner=PlansAtOnce(["a"]), critic=critic, generator=DrawsAtOnce())
    assert critic.tasks[0].before is None


def test_speculation_makes_no_difference_when_one_thing_is_done_at_a_time() -> None:
    outcomes = []
    for name in ("default", "paper"):
        settings = profile(name, seed_rule="paper", on_exhausted="keep_last")
        done = run_local(
            trajectory(settings).request,
            planner=PlansAtOnce(["a", "b", "c"]),
            critic=JudgesByScript([True, False, True]),
            generator=DrawsAtOnce(),
        )
        outcomes.append([step.image and step.image.sha256 for step in done.steps])
    assert outcomes[0] == outcomes[1]


def test_failures_end_it_with_their_problem() -> None:
    failing = DrawsAtOnce(failures=[ServiceUnavailableError("away")])
    done = run_local(
        request(), planner=PlansAtOnce(["a"]), critic=JudgesByScript(), generator=failing
    )
    assert done.problem is not None
    assert (done.status, done.problem.detail) == (Status.FAILED, "away")


def test_a_refused_plan_keeps_the_planner_s_code() -> None:
    done = run_local(
        request(), planner=RefusesPlans(), critic=JudgesByScript(), generator=DrawsAtOnce()
    )
    assert done.problem is not None
    assert done.problem.code == "out_of_scope"


def test_refused_pictures_are_tried_as_often_as_attempts_allow() -> None:
    generator = RefusesPictures()
    done = run_local(
        request(), planner=PlansAtOnce(["a"]), critic=JudgesByScript(), generator=generator
    )
    assert generator.calls == 3
    assert done.steps[0].status is StepStatus.FAILED
    assert done.problem is not None
    assert done.problem.code == "picture_refused"
