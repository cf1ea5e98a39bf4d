from __future__ import annotations

from pathlib import Path

import pytest

from services.trainer.benchmarks.records import BenchmarkDataError
from services.trainer.grpo.settings import Ablation
from services.trainer.grpo.settings import load_preset as load_grpo
from services.trainer.rewards import RewardForm
from services.trainer.sft.presets import Preset, Role, accumulation, load_preset
from services.trainer.sft.ranks import Ranks, check_ranks


def test_the_8b_preset_is_the_published_fine_tune() -> None:
    found = load_preset(Preset.QWEN3VL_8B)

    assert (found.learning_rate, found.scheduler, found.epochs, found.batch) == (
        2e-5, "cosine", 2.0, 32,
    )  # fmt: skip
    assert found.freeze_vision


def test_the_8b_preset_is_the_published_rl() -> None:
    found = load_grpo(Preset.QWEN3VL_8B)

    assert (found.learning_rate, found.prompts, found.group) == (2e-6, 16, 8)
    assert (found.epochs, found.kl, found.form) == (1.0, 1e-3, RewardForm.PAPER)
    assert load_grpo(Preset.QWEN3VL_8B, {"kl": 0.0}).kl == 0.0


def test_ablations_change_the_weights() -> None:
    no_step = load_grpo(Preset.SKETCHBOOK, {"ablation": Ablation.NO_STEP})
    no_accuracy = load_grpo(Preset.SKETCHBOOK, {"ablation": Ablation.NO_ACCURACY})

    assert (no_step.weights.accuracy, no_step.draws) == (1.0, False)
    assert (no_accuracy.weights.accuracy, no_accuracy.draws) == (0.0, True)


def test_the_role_chooses_the_folder_and_none_changes_nothing() -> None:
    found = load_preset(Preset.SKETCHBOOK, {"model": None, "epochs": 3.0}).for_role(Role.PLANNER)

    assert (found.model, found.epochs) == ("models/sketchbook/planner", 3.0)


def test_a_value_that_is_not_allowed_is_told() -> None:
    with pytest.raises(BenchmarkDataError, match="learning_rate"):
        load_preset(Preset.SKETCHBOOK, {"learning_rate": -1})


def test_batches_are_divided_among_ranks() -> None:
    assert accumulation(32, 1, 8) == 4
    assert accumulation(128, 64, 2) == 1
    with pytest.raises(BenchmarkDataError, match="3 ranks"):
        accumulation(32, 1, 3)


def test_one_node_starts_by_itself_and_several_need_a_place_to_meet() -> None:
    assert Ranks().alone
    assert "--nproc-per-node=2" in Ranks(per_node=2).command("m", ["x"])
    with pytest.raises(BenchmarkDataError, match="--meeting"):
        Ranks(per_node=2, nodes=2).command("m", [])
    several = Ranks(2, 3, 1, "first:29500").command("m", ["x"])
    assert {"--nnodes=3", "--node-rank=1", "--master-port=29500"} <= set(several)
    assert several[-3:] == ("-m", "m", "x")


def test_an_accelerate_file_gets_the_numbers_of_the_command_line() -> None:
    command = Ranks(8, 2, 1, "first:1", Path("fsdp2.yaml")).command("m", ["x"])

    assert "--config_file=fsdp2.yaml" in command
    assert {"--num_processes=16", "--num_machines=2", "--machine_rank=1"} <= set(command)


def test_fewer_ranks_than_asked_for_are_refused() -> None:
    check_ranks(2, 2)
    with pytest.raises(BenchmarkDataError, match="2 ranks were asked for but 1"):
        check_ranks(2, 1)
