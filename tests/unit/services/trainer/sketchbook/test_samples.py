"""Training samples: right ones are right, failures are failures, repairs repair."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from services.trainer.sketchbook.failures import reason_for, wrong_outcome
from services.trainer.sketchbook.language import Split, Style, outcomes_of
from services.trainer.sketchbook.samples import acceptable, critic_sample, generator_sample
from services.trainer.sketchbook.scenes import sample_edit, sample_editable_scene, standard_place
from services.trainer.sketchbook.world import Background, Item, Place, Scene

ROUNDS = 1500


@pytest.mark.parametrize("split", Split)
def test_a_generator_sample_shows_a_right_outcome_of_its_prompt(split: Split) -> None:
    rng = Random(1)
    for _ in range(ROUNDS):
        sample = generator_sample(rng, split)
        assert acceptable(sample.before, sample.prompt, sample.after), sample.prompt


def test_the_mix_of_generator_samples_is_as_meant() -> None:
    rng = Random(2)
    samples = [generator_sample(rng, Split.TRAIN) for _ in range(4000)]
    from_text = sum(sample.before is None for sample in samples) / len(samples)
    styles = Counter(sample.style for sample in samples if sample.before is not None)
    assert 0.12 < from_text < 0.18
    assert 0.55 < styles[Style.PRECISE] / styles.total() < 0.65
    assert 0.20 < styles[Style.RELATIVE] / styles.total() < 0.30


def test_precise_samples_leave_one_outcome() -> None:
    rng = Random(3)
    for _ in range(500):
        sample = generator_sample(rng, Split.HELDOUT, precise=True)
        assert outcomes_of(sample.before, sample.prompt) == (sample.after,)


def test_every_kind_of_edit_is_sampled_often() -> None:
    rng = Random(4)
    kinds = Counter(
        type(sample_edit(sample_editable_scene(rng), rng)).__name__ for _ in range(3000)
    )
    assert len(kinds) == 6
    assert min(kinds.values()) / kinds.total() > 0.05


def test_a_wrong_outcome_is_never_acceptable() -> None:
    rng = Random(5)
    for _ in range(ROUNDS):
        sample = generator_sample(rng, rng.choice(tuple(Split)))
        wrong = wrong_outcome(sample.before, sample.prompt, rng)
        assert not acceptable(sample.before, sample.prompt, wrong)


@pytest.mark.parametrize("split", Split)
def test_a_verdict_is_true_and_a_repair_is_precise_and_right(split: Split) -> None:
    rng = Random(6)
    for _ in range(ROUNDS):
        sample = critic_sample(rng, split)
        right = outcomes_of(sample.before, sample.original_prompt)
        assert (sample.after in right) == sample.success
        if sample.success:
            assert sample.refine_prompt == sample.used_prompt
            continue
        repaired = outcomes_of(sample.before, sample.refine_prompt)
        assert len(repaired) == 1
        assert repaired[0] in right


def test_half_of_the_verdicts_are_failures() -> None:
    rng = Random(7)
    failures = sum(not critic_sample(rng, Split.TRAIN).success for _ in range(2000))
    assert 0.45 < failures / 2000 < 0.55


def test_the_same_seed_gives_the_same_samples() -> None:
    first = [critic_sample(Random(8), Split.TRAIN) for _ in range(3)]
    second = [critic_sample(Random(8), Split.TRAIN) for _ in range(3)]
    assert first == second


def test_the_reason_names_what_is_wrong() -> None:
    meant = Scene(Background("sea")).with_item(Place(3, 1), Item("boat", "red"))
    moved = Scene(Background("sea")).with_item(Place(3, 2), Item("boat", "red"))
    blue = Scene(Background("sea")).with_item(Place(3, 1), Item("boat", "blue"))
    assert reason_for((meant,), moved) == "the red boat is in the wrong place."
    assert reason_for((meant,), blue) == "there should be a red boat, not a blue boat."
    assert reason_for((meant,), Scene(Background("sea"))) == "the red boat is missing."
    assert reason_for((meant,), meant) == "everything is as asked."


def test_the_standard_place_is_on_the_ground_for_a_cow_and_in_the_sky_for_a_star() -> None:
    scene = Scene(Background("meadow"))
    assert standard_place(scene, "cow").row == 3
    assert standard_place(scene, "star").row == 0
