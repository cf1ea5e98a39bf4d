"""``interleave grpo critic``: single-step RL of the critic. The work is done elsewhere.

Exit codes: 0 done, 1 stopped (checkpoints are kept), 2 the command line or the data is wrong.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from services.trainer.benchmarks.judge import Judge
from services.trainer.data.scoring import GraderScorer, JudgeScorer
from services.trainer.grpo.assessing import Assessor, PictureScorer
from services.trainer.grpo.drawing import ServiceDrawer
from services.trainer.grpo.replicas import Replicas, of_stack, own_replicas
from services.trainer.grpo.settings import Ablation, GrpoSettings, load_preset
from services.trainer.rewards import Marking, RewardForm
from services.trainer.sft import cli as o
from services.trainer.sft.presets import Preset
from services.trainer.sft.ranks import Ranks, is_rank
from services.trainer.sketchbook.stack import StackStartError
from shared.clients.transport import CallTimeouts
from shared.llm.openai_chat import OpenAIChatEngine, OpenAISettings
from shared.settings import StorageSettings
from shared.stores.s3_images import S3ImageStore

MODELS = Path("models/sketchbook")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Agent(StrEnum):
    """Who is trained."""

    CRITIC = "critic"


_Kl = Annotated[float | None, typer.Option(min=0, help="Weight of the KL term; 0 is off.")]
_Clip = Annotated[float | None, typer.Option(help="Clip of the ratio, both sides.")]
_ClipHigh = Annotated[float | None, typer.Option(help="Upper clip, where it differs.")]
_Prompts = Annotated[int | None, typer.Option(min=1, help="Pictures to judge a step.")]
_Group = Annotated[int | None, typer.Option(min=2, help="Replies to each.")]
_Tokens = Annotated[int | None, typer.Option(help="Longest reply.")]
_Temperature = Annotated[float | None, typer.Option(help="Of the sampled replies.")]
_Form = Annotated[RewardForm | None, typer.Option(help="The paper's or the released reward.")]
_Marking = Annotated[
    Marking | None, typer.Option(help="Marks as they are, or right and wrong alone.")
]
_Accuracy = Annotated[float | None, typer.Option(help="The verdict's share beside the step's.")]
_Ablation = Annotated[Ablation | None, typer.Option(help="Leave a part of the reward out.")]
_Limit = Annotated[float | None, typer.Option(help="Seconds to draw and mark one picture.")]
_HeldOutSteps = Annotated[int | None, typer.Option(help="Steps between held-out measures.")]
_HeldOutRows = Annotated[int | None, typer.Option(min=0, help="Held-out pictures judged.")]
_Stack = Annotated[Path | None, typer.Option(help="Draw with the stack that runs on this folder.")]
_Urls = Annotated[
    list[str] | None, typer.Option("--generator-url", help="A generator service; repeatable.")
]
_Endpoint = Annotated[str, typer.Option(help="Object store of --generator-url, host:port.")]
_Access = Annotated[str, typer.Option(envvar="INTERLEAVE_S3_ACCESS_KEY", help="Its key.")]
_Secret = Annotated[str, typer.Option(envvar="INTERLEAVE_S3_SECRET_KEY", help="Its secret.")]
_Bucket = Annotated[str, typer.Option(help="Its bucket.")]
_Here = Annotated[bool, typer.Option("--here", help="Draw in this process, with no service.")]
_Replicas = Annotated[int, typer.Option(min=1, help="Generator services of our own.")]
_Generator = Annotated[Path, typer.Option(help="Their model folder.")]
_JudgeUrl = Annotated[str | None, typer.Option(help="Chat server that marks [the grader].")]
_JudgeModel = Annotated[str, typer.Option(help="Its model.")]
_JudgeKey = Annotated[str, typer.Option(envvar="INTERLEAVE_JUDGE_KEY", help="Its API key.")]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where pictures are drawn and who marks them."""

    stack: Path | None
    urls: tuple[str, ...]
    storage: StorageSettings
    own: int
    generator: Path
    judge: OpenAISettings | None
    here: bool = False

    @contextmanager
    def replicas(self, settings: GrpoSettings) -> Generator[Replicas | None]:
        """The services: given ones, a running stack's, or our own; None if nothing is drawn."""
        if self.here or (not settings.draws and settings.held_out_rows == 0):
            yield None
        elif self.urls:
            yield Replicas(self.urls, self.storage)
        elif self.stack is not None:
            yield of_stack(self.stack)
        else:
            with own_replicas(MODELS, self.generator, self.own) as replicas:
                yield replicas

    def assessor(self, settings: GrpoSettings, replicas: Replicas | None) -> Assessor:
        """Draws with the replicas, or not at all."""
        scorer: PictureScorer = GraderScorer()
        if self.judge is not None:
            scorer = JudgeScorer(Judge(OpenAIChatEngine(self.judge), tries=2))
        limit_s = settings.time_limit_s
        if self.here:
            # Only here: diffusers takes seconds to load.
            from services.trainer.grpo.local import BATCH, LocalArtist, LocalDrawer  # noqa: PLC0415

            drawer = LocalDrawer(LocalArtist(self.generator))
            return Assessor(drawer, scorer, concurrency=2 * BATCH, time_limit_s=limit_s)
        if replicas is None:
            return Assessor(None, scorer)
        timeouts = CallTimeouts(silence_s=limit_s, total_s=limit_s)
        drawer = ServiceDrawer(replicas.urls, S3ImageStore(replicas.storage), timeouts)
        slots = settings.draws_per_replica * len(replicas.urls)
        return Assessor(drawer, scorer, concurrency=slots, time_limit_s=limit_s)

    def arguments(self, replicas: Replicas) -> list[str]:
        """Options that give these replicas to the ranks."""
        urls = [each for url in replicas.urls for each in ("--generator-url", url)]
        storage = replicas.storage
        return [*urls, "--storage", storage.endpoint, "--bucket", storage.bucket]


@app.command()
def grpo(
    role: Annotated[Agent, typer.Argument(help="Which agent.")],  # noqa: ARG001 - only one
    *,
    preset: o.PresetOption = Preset.SKETCHBOOK,
    data: o.Data,
    out: o.Out,
    model: o.Model = None,
    steps: o.Steps = None,
    learning_rate: o.LearningRate = None,
    epochs: o.Epochs = None,
    prompts: _Prompts = None,
    group: _Group = None,
    batch_per_device: o.PerDevice = None,
    max_completion_tokens: _Tokens = None,
    temperature: _Temperature = None,
    kl: _Kl = None,
    clip: _Clip = None,
    clip_high: _ClipHigh = None,
    form: _Form = None,
    marking: _Marking = None,
    accuracy: _Accuracy = None,
    ablation: _Ablation = None,
    time_limit_s: _Limit = None,
    held_out_steps: _HeldOutSteps = None,
    held_out_rows: _HeldOutRows = None,
    save_steps: o.SaveSteps = None,
    seed: o.Seed = 0,
    scratch: o.Scratch = False,
    reduced: o.Reduced = False,
    resume: o.Resume = True,
    stack: _Stack = None,
    generator_url: _Urls = None,
    storage: _Endpoint = "127.0.0.1:9000",
    access_key: _Access = "interleave",
    secret_key: _Secret = "interleave-secret",  # noqa: S107 - the development default
    bucket: _Bucket = "interleave",
    replicas: _Replicas = 1,
    here: _Here = False,
    generator: _Generator = MODELS / "generator",
    judge_url: _JudgeUrl = None,
    judge_model: _JudgeModel = "",
    judge_key: _JudgeKey = "",
    ranks: o.RanksOption = 1,
    nodes: o.Nodes = 1,
    node: o.Node = 0,
    meeting: o.Meeting = "",
    launch_file: o.LaunchFile = None,
) -> None:
    """Train the critic by rewards on a data set, drawing with generator services."""
    changes: dict[str, object] = {
        "model": model,
        "learning_rate": learning_rate,
        "epochs": epochs,
        "prompts": prompts,
        "group": group,
        "batch_per_device": batch_per_device,
        "max_completion_tokens": max_completion_tokens,
        "temperature": temperature,
        "kl": kl,
        "clip": clip,
        "clip_high": clip_high,
        "form": form,
        "marking": marking,
        "accuracy": accuracy,
        "ablation": ablation,
        "time_limit_s": time_limit_s,
        "held_out_steps": held_out_steps,
        "held_out_rows": held_out_rows,
        "save_steps": save_steps,
        "seed": seed,
    }
    store = StorageSettings(
        endpoint=storage, access_key=access_key, secret_key=SecretStr(secret_key), bucket=bucket
    )
    judge = OpenAISettings(judge_url, judge_model, judge_key) if judge_url else None
    drawing = Drawing(stack, tuple(generator_url or ()), store, replicas, generator, judge, here)
    together = Ranks(ranks, nodes, node, meeting, launch_file)
    with o.told_plainly(), _stack_told():
        settings = load_preset(preset, changes)

        def work(found: Replicas | None) -> None:
            # Only here: torch and TRL take seconds to load, and launching needs neither.
            from services.trainer.grpo.training import GrpoRun, train  # noqa: PLC0415

            run = GrpoRun(
                settings,
                data,
                out,
                steps=steps,
                scratch=scratch,
                reduced=reduced,
                resume=resume,
                ranks=together.total,
            )
            folder = train(run, drawing.assessor(settings, found), o.console)
            o.tell_model(folder)

        with drawing.replicas(settings) as found:
            if together.alone or is_rank():
                work(found)
            else:
                _launch(together, drawing, found)


def _launch(ranks: Ranks, drawing: Drawing, replicas: Replicas | None) -> None:
    """Start the ranks and tell them where to draw."""
    arguments = [*sys.argv[1:], *([] if replicas is None else drawing.arguments(replicas))]
    if replicas is not None:
        os.environ["INTERLEAVE_S3_ACCESS_KEY"] = replicas.storage.access_key
        secret = replicas.storage.secret_key.get_secret_value()
        os.environ["INTERLEAVE_S3_SECRET_KEY"] = secret
    o.run_ranks(ranks, "services.trainer.grpo.cli", arguments)


@contextmanager
def _stack_told() -> Generator[None]:
    try:
        yield
    except StackStartError as error:
        o.console.print(f"Stopped: {error}", style="red", markup=False)
        raise typer.Exit(o.STOPPED) from None


if __name__ == "__main__":
    app()
