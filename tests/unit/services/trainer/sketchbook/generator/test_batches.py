"""What a training step sees."""

from pathlib import Path

import numpy as np
import pytest
import torch

from services.trainer.sketchbook.generator.batches import (
    CHANGED_EXTRA,
    THING_EXTRA,
    Batches,
    noise_levels,
)
from services.trainer.sketchbook.generator.data import NO_PICTURE, LatentTable, Pool
from services.trainer.sketchbook.generator.loop import TrainConfig, rate_share
from services.trainer.sketchbook.generator.model import TEXT_LENGTH

PAD = 9


@pytest.fixture
def pool() -> Pool:
    rng = np.random.default_rng(3)
    before = rng.integers(0, 3, (40, 17)).astype(np.uint8)
    after = before.copy()
    after[:, 5] = 4
    before[::4] = NO_PICTURE
    tokens = np.full((40, TEXT_LENGTH), PAD, dtype=np.int16)
    for row in range(40):
        tokens[row, : 5 + 15 * (row % 6)] = 1
    return Pool(before, after, tokens)


@pytest.fixture
def batches(pool: Pool) -> Batches:
    table = LatentTable(torch.randn(3, 4, 6, 128))
    return Batches(pool, table, pad_token=PAD, size=6, seed=1)


def test_the_same_step_gets_the_same_batch(batches: Batches) -> None:
    first, second = batches.at(5), batches.at(5)
    assert torch.equal(first.tokens, second.tokens)
    assert torch.equal(first.after, second.after)


def test_a_batch_from_text_has_no_picture_before(batches: Batches) -> None:
    seen = [batches.at(step) for step in range(30)]
    assert {batch.kind.from_text for batch in seen} == {True, False}
    assert all((batch.before is None) == batch.kind.from_text for batch in seen)


def test_no_prompt_is_cut_off(batches: Batches) -> None:
    for step in range(30):
        batch = batches.at(step)
        assert bool((batch.tokens[:, 0] == 1).all())
        assert batch.kind.length == TEXT_LENGTH or bool((batch.tokens[:, -1] == PAD).all())


def test_changed_places_and_things_weigh_more(batches: Batches) -> None:
    edits = [batch for step in range(20) if not (batch := batches.at(step)).kind.from_text]
    changed_things = torch.cat([batch.weight[:, 4] for batch in edits])
    kept = torch.cat([batch.weight[:, 0] for batch in edits])
    assert bool((changed_things == 1 + THING_EXTRA + CHANGED_EXTRA).all())
    assert set(kept.tolist()) == {1.0, 1 + THING_EXTRA}


def test_noise_levels_lie_between_none_and_all_and_lean_to_the_noisy_side() -> None:
    levels = noise_levels(4000, torch.Generator().manual_seed(0))
    assert 0 < float(levels.min()) < float(levels.max()) < 1
    assert float(levels.median()) == pytest.approx(0.75, abs=0.02)


def test_the_learning_rate_rises_holds_then_falls() -> None:
    config = TrainConfig(steps=1000, warm_up_steps=100)
    rates = [rate_share(step, config) for step in (0, 99, 640, 800, 999)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[1] == pytest.approx(1.0) == rates[2]
    assert rates[2] > rates[3] > rates[4] >= 0.02


def test_the_learning_rate_also_ends_with_the_time() -> None:
    config = TrainConfig(steps=1000, warm_up_steps=10, seconds=60.0)
    assert rate_share(20, config, seconds=60.0) == pytest.approx(0.02)
    assert rate_share(20, config, seconds=6.0) == pytest.approx(1.0)


def test_a_pool_survives_being_saved(pool: Pool, tmp_path: Path) -> None:
    pool.save(tmp_path / "pool.npz")
    loaded = Pool.load(tmp_path / "pool.npz")
    assert loaded.sha256() == pool.sha256()
    assert len(loaded) == 40
