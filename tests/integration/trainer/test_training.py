"""Training runs as a user starts them: a few steps on the committed tiny models."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from tests.tiny.critic_rows import write_critic_sets

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

_STEPS = 2
_BATCH = ("--steps", str(_STEPS), "--batch", "4")
_SMALLEST_DISK_BYTES = 1 << 20
_CRITIC = Path("models/sketchbook/critic/model.safetensors")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of the SFT and the RL set."""
    return write_critic_sets(tmp_path_factory.mktemp("data"), count=24)


@pytest.fixture(scope="module")
def fine_tuned(data: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of one rank."""
    out = tmp_path_factory.mktemp("one")
    _sft(data[0], out, *_BATCH, "--batch-per-device", "4")
    return out


def _python(*arguments: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        (sys.executable, "-m", *arguments),
        check=False, capture_output=True, text=True, env=environment, timeout=1100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


def _sft(data: Path, out: Path, *options: str) -> None:
    module = "services.trainer.sft.cli"
    _python(module, "critic", "--data", str(data), "--out", str(out), *options)


def _metrics(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def _losses(out: Path) -> list[float]:
    return [line["loss"] for line in _metrics(out) if "loss" in line]


def test_fine_tuning_changes_the_words_and_leaves_the_eyes_alone(fine_tuned: Path) -> None:
    before, after = load_file(_CRITIC), load_file(fine_tuned / "model" / "model.safetensors")
    changed = {name for name in before if (before[name] != after[name]).any()}

    assert len(_losses(fine_tuned)) == _STEPS
    assert changed
    assert not any("visual" in name for name in changed)
    assert (fine_tuned / "model" / "preprocessor_config.json").exists()


def test_a_full_disk_stops_training_with_a_message_and_the_same_command_goes_on(
    data: tuple[Path, Path], tmp_path: Path
) -> None:
    arguments = (
        sys.executable, "-m", "services.trainer.sft.cli", "critic", "--data", str(data[0]),
        "--out", str(tmp_path), *_BATCH, "--batch-per-device", "4", "--save-steps", "1",
    )  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}

    def full_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (_SMALLEST_DISK_BYTES, _SMALLEST_DISK_BYTES))

    stopped = subprocess.run(
        arguments, check=False, capture_output=True, text=True, env=environment, timeout=1100,
        preexec_fn=full_disk,
    )  # fmt: skip
    assert stopped.returncode == 1, stopped.stdout[-2000:] + stopped.stderr[-2000:]
    assert "Stopped: cannot write" in stopped.stdout
    assert "Traceback" not in stopped.stderr

    _sft(data[0], tmp_path, *_BATCH, "--batch-per-device", "4", "--save-steps", "1")
    assert (tmp_path / "model" / "model.safetensors").exists()
    assert (tmp_path / "checkpoints" / f"checkpoint-{_STEPS}" / "trainer_state.json").exists()


def test_two_ranks_give_the_losses_of_one(
    data: tuple[Path, Path], fine_tuned: Path, tmp_path: Path
) -> None:
    _sft(data[0], tmp_path, *_BATCH, "--batch-per-device", "2", "--ranks", "2")

    assert _losses(tmp_path) == pytest.approx(_losses(fine_tuned), rel=2e-5)


def test_the_8b_preset_starts_at_reduced_width(data: tuple[Path, Path], tmp_path: Path) -> None:
    _sft(
        data[0], tmp_path, *_BATCH, "--batch-per-device", "4",
        "--preset", "qwen3vl-8b", "--reduced",
    )  # fmt: skip

    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert len(_losses(tmp_path)) == _STEPS
    assert config["text_config"]["num_hidden_layers"] == 36


def test_the_8b_preset_starts_rl_at_reduced_width(data: tuple[Path, Path], tmp_path: Path) -> None:
    _python(
        "services.trainer.grpo.cli", "critic", "--data", str(data[1]), "--out", str(tmp_path),
        "--preset", "qwen3vl-8b", "--reduced", "--here", "--steps", str(_STEPS), "--prompts", "2",
        "--group", "2", "--max-completion-tokens", "16", "--held-out-rows", "2",
    )  # fmt: skip

    steps = [line for line in _metrics(tmp_path) if "reward" in line]
    assert [line["step"] for line in steps] == [1, 2]
    assert all("kl" in line for line in steps)
    assert (tmp_path / "model" / "model.safetensors").exists()


def test_rl_measures_what_it_learns_and_goes_on_where_it_stopped(
    data: tuple[Path, Path], tmp_path: Path
) -> None:
    run = ("tests.integration.trainer.grpo_run", str(data[1]), str(tmp_path))
    _python(*run, "1")
    _python(*run, "2")

    lines = _metrics(tmp_path)
    rewards = [line for line in lines if "reward" in line]
    assert [line["step"] for line in rewards] == [1, 2]
    told = {"parts/format", "parts/accuracy", "entropy", "train/groups_without_spread"}
    assert told <= set(rewards[0])
    measured = [line for line in lines if "heldout/verdict_accuracy" in line]
    assert {line["step"] for line in measured} == {0, 1, 2}
    assert (tmp_path / "samples" / "step_00002.png").exists()
    assert (tmp_path / "model" / "model.safetensors").exists()
