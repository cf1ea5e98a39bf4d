"""The whole of ``interleave data``: prompts, trajectories, scores, data sets, card.

Every stage keeps what it did and takes up what is missing. Not here: options (``cli``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random

from rich.console import Console

from services.trainer.data.card import report, write_contact, write_report
from services.trainer.data.catalogue import CATALOGUE, load_catalogue, sample_prompts
from services.trainer.data.collecting import Collecting, collect, connected, to_be_tried
from services.trainer.data.comm_plans import import_comm
from services.trainer.data.critic_rows import cut
from services.trainer.data.datasets import Writer
from services.trainer.data.filters import Thresholds
from services.trainer.data.folder import DataFolder
from services.trainer.data.marking import mark_attempts
from services.trainer.data.planner_rows import PlannerRow, random_cut, whole_plan
from services.trainer.data.progress import shown
from services.trainer.data.records import (
    PromptRecord,
    TrajectoryRecord,
    trajectory_name,
)
from services.trainer.data.teacher import ErrorRates
from services.trainer.data.teachers import Endpoint, own_service, sketchbook_teacher
from services.trainer.data.world import sample_world
from services.trainer.sketchbook.trajectories import Service
from shared.llm.openai_chat import OpenAIChatEngine, OpenAISettings
from shared.prompts.pack import load_pack

MODELS = Path("models/sketchbook")


class Preset(StrEnum):
    """Which world the data is of."""

    SKETCHBOOK = "sketchbook"
    OPEN = "open"
    """Prompts of the catalogue; a teacher and a judge must be given."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made."""

    out: Path
    preset: Preset = Preset.SKETCHBOOK
    count: int = 100
    seed: int = 0
    catalogue: Path = CATALOGUE
    server: Service | None = None
    """A running service; None: one of our own for each generator."""
    generators: tuple[str, ...] = ()
    """Names at the running service, or folders for services of our own."""
    teacher: Endpoint | None = None
    errors: ErrorRates = field(default_factory=ErrorRates)
    judge: Endpoint | None = None
    comm: Path | None = None
    limits: Thresholds = field(default_factory=Thresholds)
    max_attempts: int = 5
    concurrency: int = 4
    timeout_s: float = 3600.0
    retry_failed: bool = False
    share_held_out: float = 0.1
    pack: str | None = None

    @property
    def pack_name(self) -> str:
        """The words that the agents are trained on."""
        usual = "sketchbook" if self.preset is Preset.SKETCHBOOK else "interleave"
        return self.pack or usual

    def used_generators(self) -> tuple[str, ...]:
        """Both of Sketchbook's where nothing else is said."""
        if self.generators or self.server is not None:
            return self.generators or ("",)
        return tuple(str(MODELS / name) for name in ("generator", "generator-weak"))


class Making:
    """Runs the stages on one folder."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._plan = plan
        self._console = console
        self._folder = DataFolder(plan.out)

    def claim(self) -> None:
        """Make the folder this run's.

        Raises:
            ResultsFolderError: It belongs to another run.
        """
        self._folder.claim({"data": self._plan.preset.value, "seed": self._plan.seed})

    def prompts(self) -> list[PromptRecord]:
        """The requests, in order; those not written yet are."""
        known = {prompt.id: prompt for prompt in self._folder.prompts}
        for prompt in self._sampled():
            if prompt.id not in known:
                self._folder.prompts.append(prompt)
                known[prompt.id] = prompt
        return list(known.values())[: self._plan.count]

    def _sampled(self) -> list[PromptRecord]:
        plan = self._plan
        if plan.preset is Preset.SKETCHBOOK:
            return sample_world(self._folder, plan.count, seed=plan.seed)
        return sample_prompts(load_catalogue(plan.catalogue), plan.count, seed=plan.seed)

    def trajectories(self, prompts: Sequence[PromptRecord]) -> None:
        """What is missing of every prompt with every generator."""
        for generator in self._plan.used_generators():
            name = Path(generator).name or "default"
            known = self._folder.newest()
            records = [known.get(trajectory_name(p.id, name)) for p in prompts]
            retry = self._plan.retry_failed
            kept = sum(not to_be_tried(record, retry_failed=retry) for record in records)
            if kept < len(prompts):
                self._collect(prompts, generator, kept)

    def _collect(self, prompts: Sequence[PromptRecord], generator: str, kept: int) -> None:
        plan = self._plan
        how = Collecting(
            generator=Path(generator).name or "default",
            named=plan.server is not None and bool(generator),
            max_attempts=plan.max_attempts,
            concurrency=plan.concurrency,
            seed=plan.seed,
            retry_failed=plan.retry_failed,
        )
        with ExitStack() as stack:
            service = plan.server or self._own_service(stack, prompts, generator)
            show = stack.enter_context(
                shown(f"trajectories, {how.generator}", len(prompts), kept, self._console)
            )

            async def run() -> None:
                async with connected(service.url, service.key, timeout_s=plan.timeout_s) as found:
                    await collect(
                        prompts, self._folder, found, how,
                        on_done=lambda record: show.step(failed=not record.usable),
                    )  # fmt: skip

            asyncio.run(run())

    def _own_service(
        self, stack: ExitStack, prompts: Sequence[PromptRecord], generator: str
    ) -> Service:
        plan = self._plan
        teacher = plan.teacher or stack.enter_context(
            sketchbook_teacher(prompts, plan.errors, seed=plan.seed)
        )
        folder = Path(generator)
        return stack.enter_context(own_service(teacher, folder, models=MODELS, pack=plan.pack_name))

    def scores(self) -> None:
        """Marks of every attempt that has none; errors as in ``mark_attempts``."""
        judge = None if self._plan.judge is None else _engine(self._plan.judge)
        concurrency = 2 * self._plan.concurrency
        mark_attempts(self._folder, judge, self._console, concurrency=concurrency)

    def data_sets(self) -> None:
        """Filter, cut and write every data set, the report, the card and the contact sheet."""
        plan = self._plan
        prompts = {prompt.id: prompt for prompt in self._folder.prompts}
        usable = [t for t in self._folder.newest().values() if t.usable]
        scores = self._folder.scores()
        found = cut(usable, prompts, scores, plan.limits, seed=plan.seed)
        plans = self._plans(usable, prompts)
        writer = Writer(self._folder, load_pack(plan.pack_name), plan.share_held_out)
        writer.critic_sft(found.sft)
        writer.critic_rl(found.rl)
        writer.planner_sft(plans)
        writer.sequences((t, prompts[t.prompt_id]) for t in usable)
        everything = list(self._folder.newest().values())
        counted = report(
            prompts, everything, scores, found, plans,
            limits=plan.limits, problems=self._folder.problems(),
        )  # fmt: skip
        write_contact(self._folder, usable, scores, seed=plan.seed)
        write_report(self._folder, counted, title=f"{plan.preset.value}, seed {plan.seed}")
        rows = ", ".join(f"{count} {name}" for name, count in counted.rows.items())
        self._console.print(f"{rows}; see {plan.out / 'card.md'}", soft_wrap=True)

    def _plans(
        self, usable: Sequence[TrajectoryRecord], prompts: dict[str, PromptRecord]
    ) -> list[PlannerRow]:
        """Each prompt's plan once, a random cut of every trajectory, and documents."""
        rows: dict[str, PlannerRow] = {}
        cuts: list[PlannerRow] = []
        for trajectory in usable:
            prompt = prompts[trajectory.prompt_id]
            rows.setdefault(prompt.id, whole_plan(trajectory, prompt))
            rng = Random(f"cut-{self._plan.seed}-{trajectory.id}")
            row = random_cut(trajectory, prompt, self._folder, rng)
            if row is not None:
                cuts.append(row)
        comm = import_comm(self._plan.comm, self._folder) if self._plan.comm else None
        if comm is not None and comm.left_out:
            self._console.print(f"{comm.left_out} documents or halves of CoMM left out")
        return [*rows.values(), *cuts, *(comm.rows if comm else [])]


def _engine(judge: Endpoint) -> OpenAIChatEngine:
    return OpenAIChatEngine(OpenAISettings(judge.url, judge.model, judge.key))
