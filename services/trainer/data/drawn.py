"""The generator's own pictures as single cases for the critic: on-policy data for RL.

Prompts of the world are drawn in batches by a generator folder and graded; no service runs and no
teacher errs. Numbered files hold what was drawn, so that a stopped run goes on. Not here: cutting
trajectories into cases (``critic_rows``).
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from services.trainer.benchmarks.folder import ResultsFolderError, write_atomically
from services.trainer.data import formats
from services.trainer.data.scoring import grade_picture
from services.trainer.sketchbook.agents.data import shown, white_canvas
from services.trainer.sketchbook.agents.lessons import verdict_question
from services.trainer.sketchbook.agents.outcomes import (
    Case,
    Draws,
    Outcome,
    graded,
    new_case,
)
from services.trainer.sketchbook.reading import Picture
from services.trainer.sketchbook.settling import refined
from services.trainer.sketchbook.wording import Split

_BATCH = 16
_PER_FILE = 256
_WEIGHTS = (5, 4, 1)
"""Of precise, relative and vague wordings: rewrites help the second kind most."""
_SECOND_SHARE = 0.25
"""How often the prompt used is a rewrite already, as at a second attempt."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A case with the prompt that was really used, its picture and what is right about it."""

    prompt: str
    used: str
    before: Picture
    """White where there was none."""
    after: Picture
    success: bool


def draw_cases(
    load: Callable[[], Draws],
    folder: Path,
    split: Split,
    *,
    count: int,
    seed: int,
    on_file: Callable[[int], None],
) -> None:
    """Draw until the folder holds ``count`` cases; whole files that are there stay.

    The artist is loaded only if something is left to draw.

    Raises:
        ResultsFolderError: Nothing can be written.
    """
    artist: Draws | None = None
    for number in range(-(-count // _PER_FILE)):
        path = folder / f"{number:04d}.npz"
        if not path.exists():
            artist = artist or load()
            rng = Random(f"drawn-{split}-{seed}-{number}")
            write_atomically(path, packed(_file_of_cases(artist, rng, split)))
        on_file((number + 1) * _PER_FILE)


def _file_of_cases(artist: Draws, rng: Random, split: Split) -> list[Drawn]:
    waiting: dict[bool, list[tuple[Case, str]]] = {True: [], False: []}
    made: list[Drawn] = []
    right: list[Outcome] = []
    while len(made) < _PER_FILE:
        case = new_case(rng, right, split=split, weights=_WEIGHTS)
        group = waiting[case.source is None]
        group.append((case, _used_prompt(case, rng, split)))
        if len(group) == _BATCH:
            pictures = artist.draw(
                [used for _, used in group],
                [case.source for case, _ in group if case.source is not None],
                seed=rng.getrandbits(40),
            )
            for (case, used), picture in zip(group, pictures, strict=True):
                outcome = graded(case, picture)
                right += [outcome] if outcome.grade.success else []
                before = shown(case.source)
                made.append(Drawn(case.prompt, used, before, picture, outcome.grade.success))
            group.clear()
    return made


def _used_prompt(case: Case, rng: Random, split: Split) -> str:
    if rng.random() >= _SECOND_SHARE:
        return case.prompt
    return refined(case.before, case.prompt, rng, split)


def packed(made: Sequence[Drawn]) -> bytes:
    """Cases as a file that ``read_cases`` reads."""
    file = io.BytesIO()
    np.savez_compressed(
        file,
        prompts=np.array([each.prompt for each in made]),
        used=np.array([each.used for each in made]),
        success=np.array([each.success for each in made]),
        pictures=np.array([(each.before, each.after) for each in made]),
    )
    return file.getvalue()


def read_cases(folder: Path) -> Iterator[Drawn]:
    """Every case of a folder of numbered files; the outcomes of the agents' training as well."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as stored:
            used = stored["used"] if "used" in stored.files else stored["prompts"]
            columns = (stored["prompts"], used, stored["pictures"], stored["success"])
        for prompt, really, (before, after), success in zip(*columns, strict=True):
            yield Drawn(str(prompt), str(really), before, after, bool(success))


def mixed(
    cases: Sequence[Drawn], rng: Random, *, failures: float, limit: int | None = None
) -> list[Drawn]:
    """As many cases as there are with that share of failures, shuffled."""
    kinds = {kind: [case for case in cases if case.success is kind] for kind in (True, False)}
    whole = min(len(kinds[False]) / failures, len(kinds[True]) / (1 - failures))
    whole = whole if limit is None else min(limit, whole)
    wrong = round(whole * failures)
    chosen = rng.sample(kinds[False], wrong) + rng.sample(kinds[True], round(whole) - wrong)
    rng.shuffle(chosen)
    return chosen


def write_cases(target: Path, name: str, cases: Sequence[Drawn]) -> None:
    """One split of a data set that TRL reads; pictures under ``images``.

    Raises:
        ResultsFolderError: Nothing can be written.
    """
    try:
        (target / "images").mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(_row(target, f"{name}-{n:05d}", case)) for n, case in enumerate(cases)]
    except OSError as error:
        message = f"cannot write {target}: {error.strerror}; make room and run it again"
        raise ResultsFolderError(message) from error
    write_atomically(target / f"{name}.jsonl", "".join(f"{line}\n" for line in lines).encode())


def _row(target: Path, case_id: str, case: Drawn) -> formats.Json:
    first = bool((case.before == white_canvas()).all())
    score = grade_picture(None if first else case.before, case.prompt, case.after)
    images: list[str] = []
    for kind, picture in (("before", case.before), ("after", case.after)):
        images.append(f"images/{case_id}-{kind}.png")
        Image.fromarray(picture).save(target / images[-1])
    return formats.trl_row(
        verdict_question(case.prompt, case.used), "", images,
        id=case_id, category="drawn", attempt=1 + (case.used != case.prompt), first=first,
        plan_prompt=case.prompt, used_prompt=case.used, truth=score.success,
        semantics=score.semantics, quality=score.quality,
    )  # fmt: skip
