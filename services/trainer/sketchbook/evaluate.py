"""Measures the whole model pack on held-out data: every figure of the model cards in one go.

Here the parts' own measures are put together under their published keys. Not here: how each is
measured (``generator.drawing``, ``agents.evaluate``, ``trajectories``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from services.trainer.sketchbook.agents.answers import Agent
from services.trainer.sketchbook.agents.data import Picture
from services.trainer.sketchbook.agents.evaluate import evaluate_critic, evaluate_planner
from services.trainer.sketchbook.generator.drawing import PipelineArtist, measure
from services.trainer.sketchbook.samples import GeneratorSample, generator_sample
from services.trainer.sketchbook.shares import Share
from services.trainer.sketchbook.stack import running_service
from services.trainer.sketchbook.trajectories import measure_trajectories
from services.trainer.sketchbook.wording import Split, Style
from services.trainer.sketchbook.world import BACKGROUNDS, Scene

Shares = dict[str, Share]
PARTS = ("generator", "planner", "critic", "trajectory")


@dataclass(frozen=True, slots=True)
class PromptArtist:
    """Draws for the critic's measure, which has prompts instead of samples."""

    artist: PipelineArtist

    def draw(self, prompt: str, before: Scene | None, *, seed: int) -> Picture:
        """See ``agents.evaluate.Artist``."""
        unused = before or Scene(BACKGROUNDS[0])
        sample = GeneratorSample(before, prompt, after=unused, style=Style.PRECISE)
        return self.artist.draw(sample, seed=seed)


def evaluate(models: Path, *, parts: tuple[str, ...], cases: int, seed: int) -> Iterator[Shares]:
    """The shares of one part after the other, as they become known."""
    measures: dict[str, Callable[[], Shares]] = {
        "generator": lambda: _generator(models, cases, seed),
        "planner": lambda: _planner(models, cases, seed),
        "critic": lambda: _critic(models, cases, seed),
        "trajectory": lambda: _trajectories(models, cases, seed),
    }
    for part in parts:
        yield measures[part]()


def _generator(models: Path, cases: int, seed: int) -> Shares:
    artist = PipelineArtist(models / "generator")
    rng = Random(f"generator-heldout-{seed}")
    # A seventh of the samples are scenes described in words, the rest are edits.
    samples = [generator_sample(rng, Split.HELDOUT, precise=True) for _ in range(9 * cases)]
    edits = [sample for sample in samples if sample.before is not None][:cases]
    described = [sample for sample in samples if sample.before is None][:cases]
    measured = measure(artist, [*edits, *described], seed=seed)
    names = {"precise": "generator.edit_exact", "text": "generator.text_to_image_exact"}
    return {
        names[kind]: Share.of([True] * found.right + [False] * (found.count - found.right))
        for kind, found in measured.items()
    }


def _planner(models: Path, cases: int, seed: int) -> Shares:
    quality = evaluate_planner(Agent(models / "planner"), cases=cases, seed=seed)
    return {
        "planner.valid": quality.valid,
        "planner.step_count": quality.step_count,
        "planner.goal_reached": quality.goal_reached,
        "planner.implicit_goal_reached": quality.implicit_goal_reached,
    }


def _critic(models: Path, cases: int, seed: int) -> Shares:
    artist = PromptArtist(PipelineArtist(models / "generator"))
    quality = evaluate_critic(Agent(models / "critic"), artist, cases=cases, seed=seed)
    return {
        "critic.verdict_accuracy": quality.verdict_accuracy,
        "critic.repair_rate": quality.repair_rate,
    }


def _trajectories(models: Path, cases: int, seed: int) -> Shares:
    with running_service(models) as service:
        return measure_trajectories(service, count=cases, seed=seed)
