"""RL with everything breaking in the middle: the run goes on, or stops and goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from services.trainer.sft.training import last_checkpoint, step_of
from shared.contracts.generation import Picture
from shared.settings import StorageSettings
from shared.stores.s3_images import S3ImageStore
from tests.fakes.drawers import png
from tests.fakes.judge_servers import Manner, judging
from tests.fakes.model_server import Behaviour, serving
from tests.integration.models.processes import service_process
from tests.integration.trainer.jobs import finished, lines, started
from tests.servers import S3Server, ServerProcess
from tests.tiny.critic_rows import write_critic_sets

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_CLI = "services.trainer.grpo.cli"
_GENERATOR = Path("models/sketchbook/generator")
_FAILED = "train/redrawing_failed"
_SMALLEST_DISK_BYTES = 1 << 20


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An RL set of wrong pictures alone, so that every readable reply is drawn."""
    folder = write_critic_sets(tmp_path_factory.mktemp("data"), count=48)[1]
    for name in ("train.jsonl", "heldout.jsonl"):
        rows = [line for line in (folder / name).read_text().splitlines()
                if not json.loads(line)["truth"]]  # fmt: skip
        (folder / name).write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def generator(
    tmp_path_factory: pytest.TempPathFactory, s3: S3Server
) -> Generator[tuple[str, ServerProcess]]:
    """A real generator service, its address first."""
    environment = {"MODEL": str(_GENERATOR.resolve())}
    folder = tmp_path_factory.mktemp("generator")
    url, server = service_process("generator", folder, environment, storage=s3.storage)
    server.start()
    try:
        yield url, server
    finally:
        server.stop()


def _quick_replica(storage: StorageSettings) -> Behaviour:
    """A generator that always gives the same picture."""
    store = S3ImageStore(storage)
    drawn = store.put("training/same.png", png(9), width_px=32, height_px=32)
    return Behaviour(lines=(Picture(image=drawn).model_dump_json(),))


def _command(
    data: Path, out: Path, storage: StorageSettings, urls: list[str], *more: str
) -> tuple[str, ...]:
    places = [each for url in urls for each in ("--generator-url", url)]
    return (
        _CLI, "critic", "--data", str(data), "--out", str(out), "--prompts", "2", "--group", "2",
        "--held-out-rows", "2", "--held-out-steps", "1000", "--save-steps", "2",
        *places, "--storage", storage.endpoint, "--bucket", storage.bucket, *more,
    )  # fmt: skip


def _keys(storage: StorageSettings) -> dict[str, str]:
    return {
        "INTERLEAVE_S3_ACCESS_KEY": storage.access_key,
        "INTERLEAVE_S3_SECRET_KEY": storage.secret_key.get_secret_value(),
    }


def _steps(out: Path) -> list[dict[str, float]]:
    return [line for line in lines(out / "metrics.jsonl") if "reward" in line]


def test_generators_die_a_judge_falls_silent_and_a_stopped_run_tells_no_step_twice(
    data: Path, generator: tuple[str, ServerProcess], s3: S3Server, tmp_path: Path
) -> None:
    url, server = generator
    out, log, keys = tmp_path / "run", tmp_path / "log", _keys(s3.storage)
    with ExitStack() as stack:
        judge = stack.enter_context(judging())
        first = ExitStack()
        other = first.enter_context(serving(_quick_replica(s3.storage)))
        command = _command(
            data, out, s3.storage, [other, url], "--batch-per-device", "4",
            "--judge-url", judge.url, "--judge-model", "judge",
        )  # fmt: skip
        with started(log, *command, "--steps", "1000", environment=keys) as job:
            job.until(lambda: len(_steps(out)) >= 3)
            first.close()
            killed_first = len(_steps(out))
            job.until(lambda: len(_steps(out)) >= killed_first + 3)
            killed_second = len(_steps(out))
            server.kill()
            job.until(lambda: len(_steps(out)) >= killed_second + 4)
            told = _steps(out)
            assert job.press_ctrl_c() == 1, job.told()
            assert "goes on from the checkpoint" in job.told()
        begun = _steps(out)
        whole = step_of(last_checkpoint(out))

        server.start()
        steps = len(begun) + 2
        judge.manner = Manner.SILENT
        judge.good_for = judge.questions + 1
        shorter = ("--steps", str(steps), "--time-limit-s", "4")
        code, words = finished(log, *command, *shorter, environment=keys)
        assert code == 0, words

    assert [line[_FAILED] for line in told[:killed_second]] == [0.0] * killed_second
    # A step may have been told just before the kill, and one was under way.
    after = [line[_FAILED] for line in told[killed_second + 2 :]]
    assert len(after) >= 2
    assert after == [1.0] * len(after)
    assert whole is not None
    found = _steps(out)
    assert [line["step"] for line in found] == list(range(1, steps + 1))
    assert found[:whole] == begun[:whole]
    assert found[whole][_FAILED] < 1.0
    assert found[-1][_FAILED] == 1.0
    assert sum("train_runtime" in line for line in lines(out / "metrics.jsonl")) == 1


def test_two_ranks_with_a_generator_service_and_a_judge_give_the_losses_of_one(
    data: Path, generator: tuple[str, ServerProcess], s3: S3Server, tmp_path: Path
) -> None:
    script = ("tests.integration.trainer.grpo_recited", str(data))
    launcher = ("torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m")
    storage = s3.storage
    with judging() as judge:
        places = (generator[0], judge.url, storage.endpoint, storage.bucket)
        for ranks, start in ((1, ()), (2, launcher)):
            out = tmp_path / str(ranks)
            arguments = (*start, *script, str(out), "3", str(ranks), *places)
            code, told = finished(tmp_path / "log", *arguments, environment=_keys(storage))
            assert code == 0, told

    one, two = (lines(tmp_path / str(ranks) / "metrics.jsonl") for ranks in (1, 2))
    assert [line["step"] for line in two] == [line["step"] for line in one]
    assert [line["step"] for line in one if "reward" in line] == [1, 2, 3]
    assert max(line.get(_FAILED, 0.0) for line in two) == 0.0
    assert max(line.get("grad_norm", 0.0) for line in one) > 0
    for name in ("reward", "reward_std", "loss", "grad_norm", "kl", "heldout/verdict_accuracy"):
        of_one = [line[name] for line in one if name in line]
        of_two = [line[name] for line in two if name in line]
        assert of_two == pytest.approx(of_one, rel=1e-4, abs=1e-6), name


def test_a_full_disk_at_a_checkpoint_stops_rl_and_the_same_command_goes_on(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    command = ("tests.integration.trainer.grpo_run", str(data), str(out), "2")

    code, told = finished(tmp_path / "log", *command, largest_file_bytes=_SMALLEST_DISK_BYTES)
    assert code == 1, told
    assert "cannot write" in told
    assert "Traceback" not in told

    assert finished(tmp_path / "log", *command)[0] == 0
    assert [line["step"] for line in _steps(out)] == [1, 2]
