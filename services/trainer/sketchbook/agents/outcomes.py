"""The generator's own pictures as lessons for the critic.

``python -m services.trainer.sketchbook.agents.outcomes GENERATOR FOLDER`` draws them into
numbered files, which ``load_outcomes`` reads. A third start from a drawn picture, as all edits
but the first of a trajectory do. Not here: rendered outcomes (``lessons``), measuring.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Protocol

import numpy as np
import torch
from diffusers import Flux2KleinPipeline
from PIL import Image

from services.trainer.sketchbook.agents.data import Picture, shown
from services.trainer.sketchbook.agents.lessons import (
    UNCLEAR_REASON,
    Lesson,
    heard_lesson,
)
from services.trainer.sketchbook.failures import reason_for
from services.trainer.sketchbook.generator.model import CALL_ARGUMENTS
from services.trainer.sketchbook.grader import Grade, grade
from services.trainer.sketchbook.language import caption_places, outcomes_of, parse_caption, phrase
from services.trainer.sketchbook.samples import CriticSample, generator_sample
from services.trainer.sketchbook.scenes import sample_edit
from services.trainer.sketchbook.settling import asked_scene, refined
from services.trainer.sketchbook.wording import Split, Style
from services.trainer.sketchbook.world import PLACES, Scene

_BATCH = 16
_FROM_DRAWN_SHARE = 0.33
_log = logging.getLogger("sketchbook.agents")


class EditsInBatches(Flux2KleinPipeline):
    """The stock pipeline, but reference i belongs to sample i alone."""

    def prepare_image_latents(
        self,
        images: list[torch.Tensor],
        batch_size: int,
        generator: torch.Generator,
        device: torch.device,
        dtype: torch.dtype,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Encode all references as one batch; ``generator`` is not used for the mode."""
        joined = torch.cat(images).to(device=device, dtype=dtype)
        encoded: Any = self._encode_vae_image(image=joined, generator=generator)
        ids: Any = self._prepare_image_ids([encoded[:1]])
        packed: Any = self._pack_latents(encoded)
        return packed.to(device), ids.repeat(batch_size, 1, 1).to(device)


class Draws(Protocol):
    """Whoever draws many pictures at a time."""

    def draw(
        self, prompts: Sequence[str], sources: Sequence[Picture], *, seed: int
    ) -> list[Picture]:
        """A picture for each prompt: all edits of their sources, or all without any."""
        ...


class BatchArtist:
    """Draws many pictures at a time with the stock pipeline."""

    def __init__(self, folder: Path) -> None:
        """Load a generator folder."""
        self._pipeline: Any = EditsInBatches.from_pretrained(folder, torch_dtype=torch.float32)
        self._pipeline.set_progress_bar_config(disable=True)
        layers = tuple(CALL_ARGUMENTS["text_encoder_out_layers"])
        self._arguments = {**CALL_ARGUMENTS, "text_encoder_out_layers": layers}

    def draw(
        self, prompts: Sequence[str], sources: Sequence[Picture], *, seed: int
    ) -> list[Picture]:
        """See ``Draws``."""
        noise = [torch.Generator().manual_seed(seed + number) for number in range(len(prompts))]
        given = {"image": [Image.fromarray(source) for source in sources]} if sources else {}
        drawn = self._pipeline(
            prompt=list(prompts), generator=noise, **given, **self._arguments
        ).images  # fmt: skip
        return [np.asarray(picture) for picture in drawn]


@dataclass(frozen=True, slots=True)
class Case:
    """A prompt together with the scene and the picture its edit starts from."""

    before: Scene | None
    prompt: str
    source: Picture | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case drawn and graded."""

    case: Case
    picture: Picture
    grade: Grade


def draw_cases(artist: Draws, cases: Sequence[Case], *, seed: int) -> list[Outcome]:
    """Draw cases that all have a source, or all have none."""
    sources = [case.source for case in cases if case.source is not None]
    prompts = [case.prompt for case in cases]
    found: list[Outcome] = []
    for case, picture in zip(cases, artist.draw(prompts, sources, seed=seed), strict=True):
        found.append(graded(case, picture))
    return found


def graded(case: Case, picture: Picture) -> Outcome:
    """A case with what was drawn for it."""
    accepted = outcomes_of(case.before, case.prompt)
    return Outcome(case, picture, grade(case.before, accepted, picture))


def new_case(
    rng: Random,
    drawn: Sequence[Outcome],
    *,
    split: Split = Split.TRAIN,
    weights: tuple[int, int, int] = (6, 3, 1),
) -> Case:
    """A case of the usual mix, or an edit of a picture that was drawn right.

    ``weights`` are those of precise, relative and vague wordings of such an edit.
    """
    if drawn and rng.random() < _FROM_DRAWN_SHARE:
        earlier = rng.choice(drawn)
        scene = earlier.grade.reading.scene
        edit = sample_edit(scene, rng)
        style = rng.choices((Style.PRECISE, Style.RELATIVE, Style.VAGUE), weights)[0]
        prompt = phrase(scene, edit, rng, style, split)
        return Case(scene, prompt, earlier.picture)
    sample = generator_sample(rng, split)
    source = None if sample.before is None else shown(sample.before)
    return Case(sample.before, sample.prompt, source)


def critic_case(outcome: Outcome, rng: Random) -> CriticSample:
    """What the critic should say about an outcome."""
    before, prompt = outcome.case.before, outcome.case.prompt
    seen = outcome.grade
    fix = prompt
    if not seen.success:
        asked = asked_scene(before, prompt, seen.reading.scene)
        fix = refined(before, prompt, rng, Split.TRAIN, towards=asked)
    right = outcomes_of(before, prompt)
    unclear = frozenset(place for place in PLACES if not seen.reading.is_legible(place))
    reason = UNCLEAR_REASON if unclear else reason_for(right, seen.reading.scene)
    return CriticSample(
        before, prompt, prompt, seen.reading.scene, seen.success, fix, reason, unclear
    )


def drawn_lesson(outcome: Outcome, rng: Random) -> Lesson:
    """Judge a picture that was drawn, its prompt heard in any words."""
    lesson = heard_lesson(critic_case(outcome, rng), rng)
    return replace(lesson, scenes=(shown(outcome.case.source), outcome.picture))


def write_outcomes(
    artist: Draws, folder: Path, *, count: int, seed: int, per_file: int = 256
) -> None:
    """Draw until the folder holds ``count`` outcomes; what is there stays."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn: list[Outcome] = []
    for number in range(-(-count // per_file)):
        path = folder / f"{number:04d}.npz"
        if path.exists():
            continue
        rng = Random(f"outcomes-{seed}-{number}")
        made = _some(artist, rng, drawn, count=per_file)
        drawn = [outcome for outcome in made if outcome.grade.success]
        _save(path, made)
        _log.info("%s: %d of %d right", path.name, len(drawn), len(made))


def _some(artist: Draws, rng: Random, drawn: Sequence[Outcome], *, count: int) -> list[Outcome]:
    waiting: dict[bool, list[Case]] = {True: [], False: []}
    made: list[Outcome] = []
    while len(made) < count:
        right = [*drawn, *(outcome for outcome in made if outcome.grade.success)]
        case = new_case(rng, right)
        group = waiting[case.source is None]
        group.append(case)
        if len(group) == _BATCH:
            made += draw_cases(artist, group, seed=rng.getrandbits(40))
            group.clear()
    return made


def _save(path: Path, made: Sequence[Outcome]) -> None:
    befores = [outcome.case.before for outcome in made]
    pictures = [(shown(outcome.case.source), outcome.picture) for outcome in made]
    np.savez_compressed(
        path,
        prompts=np.array([outcome.case.prompt for outcome in made]),
        befores=np.array([caption_places(before) if before else "" for before in befores]),
        success=np.array([outcome.grade.success for outcome in made]),
        pictures=np.array(pictures),
    )


def load_outcomes(folder: Path) -> list[Outcome]:
    """Every wrong outcome of a folder and at most twice as many right ones."""
    wrong, right = list[_Stored](), list[_Stored]()
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as stored:
            columns = (stored[name] for name in ("success", "befores", "prompts", "pictures"))
            for success, *row in zip(*columns, strict=True):
                (right if success else wrong).append(_Stored(*row))
    return [stored.outcome() for stored in (*wrong, *right[: max(1, 2 * len(wrong))])]


@dataclass(frozen=True, slots=True)
class _Stored:
    """A row of a file: scene in words, prompt, and the pictures before and after."""

    before: str
    prompt: str
    pictures: Picture

    def outcome(self) -> Outcome:
        if not self.before:
            return graded(Case(None, str(self.prompt), None), self.pictures[1])
        case = Case(parse_caption(str(self.before)), str(self.prompt), self.pictures[0])
        return graded(case, self.pictures[1])


def main() -> None:
    """Draw a folder of outcomes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("generator", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=4096)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    artist = BatchArtist(options.generator)
    write_outcomes(artist, options.folder, count=options.count, seed=options.seed)


if __name__ == "__main__":
    main()
