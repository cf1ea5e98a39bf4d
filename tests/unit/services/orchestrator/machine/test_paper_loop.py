"""Profile ``paper`` against the reference loop, written here straight from its description.

Source: InterleaveThinker, section on the inference loop, and its released settings: T = 3, seed
1000 x step index on every retry, each retry from the step's own source, the last picture kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.trajectories import CritiqueCommand, GenerateCommand
from tests.trajectories import Driver, image, profile, trajectory

LIMIT = 3


@dataclass
class World:
    """Engines that answer at once and write down what they were asked."""

    verdicts: list[bool]
    calls: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])

    def draw(self, prompt: str, source: str | None, seed: int) -> str:
        self.calls.append(("draw", prompt, source, seed))
        return f"<{prompt}|{source}|{seed}|{len(self.calls)}>"

    def judge(self, before: str | None, after: str, plan: str, used: str) -> tuple[bool, str]:
        self.calls.append(("judge", before, after, plan, used))
        success = self.verdicts[len(self.calls) % len(self.verdicts)]
        return success, used if success else f"{used}!"


def reference_loop(world: World, plan: list[str | None], given_image: str | None) -> list[str]:
    """One picture after the other, as published."""
    source, kept = given_image, list[str]()
    for index, prompt in enumerate(plan):
        if prompt is None:
            continue
        used, picture = prompt, ""
        for _ in range(LIMIT):
            picture = world.draw(used, source, 1000 * index)
            success, used_next = world.judge(source, picture, prompt, used)
            if success:
                break
            used = used_next
        source = picture
        kept.append(picture)
    return kept


def machine_loop(world: World, plan: list[str | None], given_image: str | None) -> list[str]:
    """The same through ``advance``."""
    names: dict[str, str] = {}

    def named(name: str) -> str:
        names[image(name).sha256] = name
        return name

    images = [] if given_image is None else [image(named(given_image))]
    driver = Driver(trajectory(profile("paper"), images=images))
    driver.plan(*plan)
    while not driver.state.status.final:
        (command,) = driver.state.pending
        assert isinstance(command, GenerateCommand | CritiqueCommand)
        step = driver.state.steps[command.step]
        attempt = step.attempts[command.attempt - 1]
        source = names[attempt.sources[-1].sha256] if attempt.sources else None
        if isinstance(command, GenerateCommand):
            driver.draw(command.id, named(world.draw(attempt.prompt, source, attempt.seed)))
            continue
        assert attempt.image is not None
        assert step.plan.prompt is not None
        success, refined = world.judge(
            source, names[attempt.image.sha256], step.plan.prompt, attempt.prompt
        )
        driver.judge(command.id, success=success, refine=refined)
    return [names[s.image.sha256] for s in driver.state.steps if s.image is not None]


@given(
    plan=st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=1, max_size=6),
    given_image=st.sampled_from([None, "given"]),
    verdicts=st.lists(st.booleans(), min_size=1, max_size=7),
)
def test_the_machine_makes_the_very_calls_of_the_reference_loop(
    plan: list[str | None], given_image: str | None, verdicts: list[bool]
) -> None:
    reference, ours = World(verdicts), World(verdicts)
    assert machine_loop(ours, plan, given_image) == reference_loop(reference, plan, given_image)
    assert ours.calls == reference.calls
