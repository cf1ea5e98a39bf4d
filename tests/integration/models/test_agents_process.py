"""Planner and critic as processes with the in-process engine and a random tiny model.

The model writes rubbish, which is as good a test of the way there and back as any: refusals
must be answers, and hanging up must stop the model.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from shared.clients.critic import CriticClient
from shared.clients.failures import CallCancelledError
from shared.clients.planner import PlannerClient
from shared.contracts.plans import PlanCheck, PlanRefused, PlanTask
from shared.contracts.verdicts import VerdictTask, VerdictUnparsable
from shared.errors import ServiceRejectedError
from shared.stores.s3_images import S3ImageStore
from tests.integration.models.processes import running_service
from tests.servers import S3Server
from tests.tiny.qwen3_vl import save_tiny_qwen3_vl

PACK = """
name = "short"
[planner]
narrative_system = "Plan."
guidance_system = "Look and plan."
max_tokens = {tokens}
[critic]
system = "Judge."
user = "{{before}}{{after}}Plan: {{plan_prompt}} Used: {{used_prompt}}"
max_tokens = {tokens}
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_qwen3_vl(tmp_path_factory.mktemp("agents") / "model")


def _environment(model: Path, folder: Path, tokens: int) -> dict[str, str]:
    pack = folder / "pack.toml"
    pack.write_text(PACK.format(tokens=tokens))
    return {"MODEL": str(model), "PACK": str(pack), "DEVICE": "cpu", "REASKS": "0"}


@pytest.fixture(scope="module")
def planner(
    s3: S3Server, model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PlannerClient]:
    folder = tmp_path_factory.mktemp("planner")
    with running_service(
        "planner", folder, _environment(model, folder, 24), storage=s3.storage
    ) as url:
        yield PlannerClient(url)


@pytest.fixture(scope="module")
def critic(
    s3: S3Server, model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CriticClient]:
    folder = tmp_path_factory.mktemp("critic")
    with running_service(
        "critic", folder, _environment(model, folder, 1500), storage=s3.storage
    ) as url:
        yield CriticClient(url)


def _later(seconds: float) -> Callable[[], bool]:
    at = time.monotonic() + seconds
    return lambda: time.monotonic() > at


def test_rubbish_of_a_planner_is_a_refusal(planner: PlannerClient) -> None:
    task = PlanTask(trajectory_id="trj_1", prompt="A boat.", seed=1)
    with closing(planner.plan(task)) as messages:
        (end,) = list(messages)
    assert isinstance(end, PlanRefused)
    assert end.code == "plan_unusable"


async def test_a_check_finds_a_wrong_number_of_marks(planner: PlannerClient) -> None:
    result = await planner.check(PlanCheck(prompt="See <image>.", image_count=2))
    assert (result.ok, result.code) == (False, "invalid_request")


def test_wrong_marks_are_rejected_for_good(planner: PlannerClient) -> None:
    task = PlanTask(trajectory_id="trj_1", prompt="See <image>.")
    with pytest.raises(ServiceRejectedError), closing(planner.plan(task)) as messages:
        next(messages)


def test_hanging_up_frees_the_critics_model(critic: CriticClient, s3: S3Server) -> None:
    store = S3ImageStore(s3.storage)
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(file, "PNG")
    after = store.put("agents-process/a.png", file.getvalue(), width_px=64, height_px=64)
    task = VerdictTask(
        trajectory_id="trj_1", before=None, after=after, plan_prompt="a", used_prompt="a"
    )
    started = time.monotonic()
    whole = critic.judge(task)
    whole_s = time.monotonic() - started
    assert isinstance(whole, VerdictUnparsable)
    started = time.monotonic()
    with pytest.raises(CallCancelledError):
        critic.judge(task, _later(0.2))
    assert time.monotonic() - started < 1.2
    with pytest.raises(CallCancelledError):
        critic.judge(task, _later(0.2))
    started = time.monotonic()
    critic.judge(task)
    assert time.monotonic() - started < whole_s + 2.0, "abandoned calls must not be waited for"
    store.close()
