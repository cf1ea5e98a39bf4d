"""Making data with everything breaking in the middle: nothing is lost and nothing is doubled."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from services.trainer.data.catalogue import load_catalogue, sample_prompts
from services.trainer.data.folder import DataFolder
from services.trainer.data.marking import mark_attempts
from services.trainer.data.records import (
    AttemptRecord,
    PromptRecord,
    Score,
    ScoreRecord,
    StepRecord,
    TrajectoryRecord,
    trajectory_name,
)
from services.trainer.data.world import png
from services.trainer.sketchbook.world import Background, Scene
from shared.contracts.plans import PlanStep
from shared.errors import ServiceUnavailableError
from shared.llm.openai_chat import OpenAIChatEngine, OpenAISettings
from tests.fakes.judge_servers import JudgeServer, Manner, judging
from tests.integration.trainer.jobs import Job, finished, lines, started
from tests.unit.services.trainer.data.trajectories import PROMPT, TRAJECTORY

_CLI = "services.trainer.data.cli"
_TRAJECTORIES = 15
_STEPS = 3
_ATTEMPTS = _TRAJECTORIES * _STEPS
_REQUESTS = 4
_TOGETHER = 4
_GONE_WITHIN_S = 30.0


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """Trajectories without marks; no two attempts ask a judge the same."""
    found = DataFolder(tmp_path / "data")
    found.keep("run.json", b'{"data": "sketchbook", "seed": 0}')
    _fill(found, [PROMPT.model_copy(update={"id": f"p{n}"}) for n in range(_TRAJECTORIES)])
    return found


def _fill(folder: DataFolder, prompts: Sequence[PromptRecord], *, generator: str = "g") -> None:
    folder.keep("images/a.png", png(Scene(Background("meadow", "day"))))
    for prompt in prompts:
        folder.prompts.append(prompt)
        steps = tuple(_step(f"{prompt.id} {step}") for step in range(_STEPS))
        name = trajectory_name(prompt.id, generator)
        folder.trajectories.append(
            TrajectoryRecord(
                id=name, prompt_id=prompt.id, generator=generator, status="succeeded", steps=steps
            )
        )


def _step(prompt: str) -> StepRecord:
    drawn = AttemptRecord(number=1, prompt=prompt, file="images/a.png", verdict=True)
    plan = PlanStep(step_number=1, instruction=prompt, prompt=prompt)
    return StepRecord(plan=plan, chosen=1, attempts=(drawn,))


def _mark(folder: DataFolder, judge: JudgeServer) -> None:
    engine = OpenAIChatEngine(OpenAISettings(judge.url, "judge"))
    mark_attempts(folder, engine, Console(quiet=True), concurrency=_TOGETHER)


@pytest.mark.parametrize(
    "manner", [Manner.WITHOUT_JSON, Manner.BEYOND_THE_SCALE, Manner.REFUSING, Manner.NO_CHAT]
)
def test_a_judge_that_breaks_stops_the_marking_and_is_asked_for_the_rest_again(
    folder: DataFolder, manner: Manner
) -> None:
    with judging(manner, good_for=5) as judge:
        with pytest.raises(ServiceUnavailableError, match="left too many questions unanswered"):
            _mark(folder, judge)
        marked = [score for score in folder.scores().values() if score is not None]
        judge.manner, before = Manner.GOOD, judge.questions
        _mark(folder, judge)

    assert len(marked) == 5
    # Questions that were on their way when the marking stopped may be counted late.
    assert 0 <= judge.questions - before - (_ATTEMPTS - 5) <= _TOGETHER
    assert len(folder.scores()) == _ATTEMPTS
    assert None not in folder.scores().values()


def test_a_judge_that_marks_nothing_at_all_stops_the_job(folder: DataFolder) -> None:
    few = DataFolder(folder.root.parent / "few")
    few.keep("images/a.png", folder.path("images/a.png").read_bytes())
    few.trajectories.append(TRAJECTORY.model_copy(update={"steps": (_step("one"),)}))

    told = r"1 of 1 attempts have no mark \(judge unreadable"
    with (
        judging(Manner.WITHOUT_JSON) as judge,
        pytest.raises(ServiceUnavailableError, match=told),
    ):
        _mark(few, judge)


@pytest.mark.parametrize("what", ["rows", "contact.png"])
def test_a_full_disk_leaves_the_old_data_sets_and_says_what_to_do(
    folder: DataFolder, what: str, tmp_path: Path
) -> None:
    for number in range(_TRAJECTORIES):
        for step in range(_STEPS):
            marks = Score(semantics=8, quality=8)
            record = ScoreRecord(trajectory_id=f"p{number}-g", step=step, attempt=1, score=marks)
            folder.score_records.append(record)
    command = (_CLI, "sets", "--out", str(folder.root), "--no-balance")
    assert finished(tmp_path / "log", *command)[0] == 0
    before = (folder.root / "datasets" / "critic-sft" / "train.jsonl").read_bytes()
    most = 500 if what == "rows" else (folder.root / "contact.png").stat().st_size - 1

    code, told = finished(tmp_path / "log", *command, largest_file_bytes=most)

    assert code == 1
    assert "make room" in told
    assert "Traceback" not in told
    assert (folder.root / "datasets" / "critic-sft" / "train.jsonl").read_bytes() == before
    assert finished(tmp_path / "log", *command)[0] == 0


def test_ctrl_c_while_a_judge_is_silent_keeps_every_mark(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    prompts = sample_prompts(load_catalogue(), _TRAJECTORIES, seed=0)
    _fill(folder, prompts, generator="default")
    with judging(Manner.SILENT, good_for=5) as judge:
        command = (
            _CLI, "make", "--preset", "open", "--out", str(folder.root),
            "--count", str(_TRAJECTORIES), "--server", "http://127.0.0.1:9",
            "--judge-url", judge.url, "--judge-model", "judge",
        )  # fmt: skip
        with started(tmp_path / "log", *command) as job:
            job.until(lambda: len(lines(folder.root / "scores.jsonl")) == 5)
            assert job.press_ctrl_c() == 1, job.told()
            assert "the same command goes on from here" in job.told()
        judge.manner = Manner.GOOD
        code, told = finished(tmp_path / "log", *command)

    assert code == 0, told
    assert f"scores: {_ATTEMPTS}/{_ATTEMPTS}" in told
    assert len(lines(folder.root / "scores.jsonl")) == len(folder.scores()) == _ATTEMPTS


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_making_data_goes_on_after_the_death_of_its_generator_and_after_its_own(
    tmp_path: Path,
) -> None:
    out, log = tmp_path / "data", tmp_path / "log"
    command = (
        _CLI, "make", "--out", str(out), "--count", str(_REQUESTS), "--concurrency", "1",
        "--generator", "models/sketchbook/generator",
    )  # fmt: skip
    first, second = (tmp_path / name for name in ("first", "second"))

    with _making(log, first, command) as job:
        job.until(lambda: len(_trajectories(out)) >= 1)
        services = _services(first)
        os.kill(services["generator"], signal.SIGKILL)
        job.until(lambda: len(_trajectories(out)) >= 2)
        services = _services(first)
        job.process.kill()
    _wait_until_gone(services.values())
    kept = _trajectories(out)

    with _making(log, second, command) as job:
        assert job.process.wait(300) == 0, job.told()

    found = _trajectories(out)
    assert found[: len(kept)] == kept
    assert len({each["id"] for each in found}) == len(found) == _REQUESTS
    assert {each["status"] for each in found} <= {"succeeded", "partially_succeeded"}
    assert not any(each["problem"] for each in found)
    marks = [(m["trajectory_id"], m["step"], m["attempt"]) for m in lines(out / "scores.jsonl")]
    assert len(set(marks)) == len(marks) > 0
    assert (out / "card.md").exists()
    assert list(second.glob("interleave-*")) == []


@contextmanager
def _making(log: Path, folder: Path, command: tuple[str, ...]) -> Generator[Job]:
    """The job, with its services' data in a folder of their own."""
    folder.mkdir()
    with started(log, *command, environment={"TMPDIR": str(folder)}) as job:
        yield job


def _trajectories(out: Path) -> list[dict[str, object]]:
    return lines(out / "trajectories.jsonl")


def _services(folder: Path) -> dict[str, int]:
    """Process ids by name, of the stack that runs on a folder."""
    (state,) = folder.glob("*/data/stack.json")
    return {each["name"]: each["pid"] for each in json.loads(state.read_text())["processes"]}


def _wait_until_gone(pids: Iterable[int]) -> None:
    give_up_at = time.monotonic() + _GONE_WITHIN_S
    while alive := [pid for pid in pids if Path(f"/proc/{pid}/stat").exists()]:
        assert time.monotonic() < give_up_at, alive
        time.sleep(0.1)
