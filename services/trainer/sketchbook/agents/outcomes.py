"""The generator's own pictures as lessons for the critic.

``python -m services.trainer.sketchbook.agents.outcomes GENERATOR FOLDER`` draws them into
numbered files, which ``load_outcomes`` reads. A third start from a drawn picture, as all edits
but the first of a trajectory do. Not here: rendered outcomes (``lessons``), measuring.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from diffusers import Flux2KleinPipeline
from PIL import Image
from transformers import PreTrainedTokenizerFast

from services.trainer.sketchbook.agents.data import Encoded, Picture, encode, shown
from services.trainer.sketchbook.agents.lessons import (
    UNCLEAR_REASON,
    Lesson,
    verdict_lesson,
    verdict_question,
)
from services.trainer.sketchbook.agents.places import Labels, no_labels, place_labels
from services.trainer.sketchbook.failures import reason_for
from services.trainer.sketchbook.generator.model import CALL_ARGUMENTS
from services.trainer.sketchbook.grader import Grade, grade
from services.trainer.sketchbook.language import outcomes_of, phrase
from services.trainer.sketchbook.samples import CriticSample, GeneratorSample, generator_sample
from services.trainer.sketchbook.scenes import sample_edit
from services.trainer.sketchbook.settling import refined
from services.trainer.sketchbook.wording import Split, Style
from services.trainer.sketchbook.world import PLACES, outcomes

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


class BatchArtist:
    """Draws many pictures at a time."""

    def __init__(self, folder: Path) -> None:
        """Load a generator folder."""
        self._pipeline: Any = EditsInBatches.from_pretrained(folder, torch_dtype=torch.float32)
        self._pipeline.set_progress_bar_config(disable=True)
        layers = tuple(CALL_ARGUMENTS["text_encoder_out_layers"])
        self._arguments = {**CALL_ARGUMENTS, "text_encoder_out_layers": layers}

    def draw(
        self, prompts: Sequence[str], sources: Sequence[Picture], *, seed: int
    ) -> list[Picture]:
        """A picture for each prompt: all edits of their sources, or all without any."""
        noise = [torch.Generator().manual_seed(seed + number) for number in range(len(prompts))]
        given = {"image": [Image.fromarray(source) for source in sources]} if sources else {}
        drawn = self._pipeline(
            prompt=list(prompts), generator=noise, **given, **self._arguments
        ).images  # fmt: skip
        return [np.asarray(picture) for picture in drawn]


@dataclass(frozen=True, slots=True)
class Case:
    """A sample together with the picture its edit starts from."""

    sample: GeneratorSample
    source: Picture | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case drawn and graded."""

    case: Case
    picture: Picture
    grade: Grade


def draw_cases(artist: BatchArtist, cases: Sequence[Case], *, seed: int) -> list[Outcome]:
    """Draw cases that all have a source, or all have none."""
    sources = [case.source for case in cases if case.source is not None]
    prompts = [case.sample.prompt for case in cases]
    found: list[Outcome] = []
    for case, picture in zip(cases, artist.draw(prompts, sources, seed=seed), strict=True):
        accepted = outcomes_of(case.sample.before, case.sample.prompt)
        found.append(Outcome(case, picture, grade(case.sample.before, accepted, picture)))
    return found


def new_case(rng: Random, drawn: Sequence[Outcome]) -> Case:
    """A case of the usual mix, or an edit of a picture that was drawn right."""
    if drawn and rng.random() < _FROM_DRAWN_SHARE:
        earlier = rng.choice(drawn)
        scene = earlier.grade.reading.scene
        edit = sample_edit(scene, rng)
        style = rng.choices((Style.PRECISE, Style.RELATIVE, Style.VAGUE), (6, 3, 1))[0]
        prompt = phrase(scene, edit, rng, style, Split.TRAIN)
        sample = GeneratorSample(scene, prompt, outcomes(scene, edit)[0], style)
        return Case(sample, earlier.picture)
    sample = generator_sample(rng, Split.TRAIN)
    return Case(sample, None if sample.before is None else shown(sample.before))


def critic_case(outcome: Outcome, rng: Random) -> CriticSample:
    """What the critic should say about an outcome."""
    sample, seen = outcome.case.sample, outcome.grade
    before, prompt = sample.before, sample.prompt
    success = seen.success
    fix = prompt if success else refined(before, prompt, rng, Split.TRAIN)
    right = outcomes_of(before, prompt)
    unclear = frozenset(place for place in PLACES if not seen.reading.is_legible(place))
    reason = UNCLEAR_REASON if unclear else reason_for(right, seen.reading.scene)
    return CriticSample(before, prompt, prompt, seen.reading.scene, success, fix, reason, unclear)


def write_outcomes(
    artist: BatchArtist, folder: Path, *, count: int, seed: int, per_file: int = 256
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
        _save(path, made, rng)
        _log.info("%s: %d of %d right", path.name, len(drawn), len(made))


def _some(
    artist: BatchArtist, rng: Random, drawn: Sequence[Outcome], *, count: int
) -> list[Outcome]:
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


def _save(path: Path, made: Sequence[Outcome], rng: Random) -> None:
    rows: list[str] = []
    pictures: list[Picture] = []
    labels: list[Labels] = []
    for outcome in made:
        sample = critic_case(outcome, rng)
        lesson = verdict_lesson(sample)
        rows.append(json.dumps([sample.original_prompt, sample.used_prompt, lesson.answer]))
        pictures += [shown(outcome.case.source), outcome.picture]
        readable = outcome.grade.reading.legible
        labels.append(place_labels(sample.before))
        labels.append(place_labels(sample.after) if readable else no_labels())
    np.savez_compressed(
        path, rows=np.array(rows), pictures=np.stack(pictures), labels=np.stack(labels)
    )


def load_outcomes(folder: Path, tokenizer: PreTrainedTokenizerFast) -> list[Encoded]:
    """Every outcome of a folder, encoded, wrong ones and right ones in equal numbers."""
    kinds: dict[bool, list[Encoded]] = {True: [], False: []}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as stored:
            rows, pictures, labels = stored["rows"], stored["pictures"], stored["labels"]
        for number, row in enumerate(rows):
            prompt, used, answer = json.loads(str(row))
            pair = slice(2 * number, 2 * number + 2)
            success = '"previous_step_success": true' in answer
            encoded = encode(Lesson(verdict_question(prompt, used), answer), tokenizer)
            kinds[success].append(Encoded("drawn", encoded.ids, encoded.start,
                                          tuple(pictures[pair]), tuple(labels[pair])))  # fmt: skip
    fewer = min(map(len, kinds.values()))
    return [encoded for kind in kinds.values() for encoded in kind[: max(1, 2 * fewer)]]


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
