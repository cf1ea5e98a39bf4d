"""Cases for the critic from whole trajectories: the steps that a planner really asks for.

Planner and generator carry out requests in training wordings; what the exact critic says of every
picture is the truth, and its rewrites lead to second attempts. Source: InterleaveThinker, critic
data are trajectories cut into steps. Not here: single edits at random (``data.drawn``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from services.trainer.ablation.agents import Judged
from services.trainer.ablation.exact import ExactCritic
from services.trainer.ablation.trajectories import Crew, Drawing, Planning, run
from services.trainer.benchmarks.folder import write_atomically
from services.trainer.data.drawn import Drawn, packed
from services.trainer.sketchbook.agents.data import white_canvas
from services.trainer.sketchbook.requests import sample_request
from services.trainer.sketchbook.wording import Split
from shared.prompts.critic import VerdictDraft

_PER_FILE = 64
_ATTEMPTS = 2


@dataclass(slots=True)
class Listening:
    """Judges exactly, and keeps what it was asked."""

    exact: ExactCritic = field(default_factory=ExactCritic)
    heard: list[Drawn] = field(default_factory=list[Drawn])

    def verdicts(self, cases: Sequence[Judged]) -> list[VerdictDraft | None]:
        """The exact critic's; a prompt that means nothing here is no case."""
        said = self.exact.verdicts(cases)
        for case, draft in zip(cases, said, strict=True):
            if draft is not None:
                before = white_canvas() if case.before is None else case.before
                right = draft.previous_step_success
                self.heard.append(Drawn(case.prompt, case.used, before, case.after, right))
        return said


def stage_cases(
    planner: Planning,
    studio: Callable[[], Drawing],
    folder: Path,
    split: Split,
    *,
    requests: int,
    seed: int,
    on_file: Callable[[int], None],
) -> None:
    """Carry out so many requests and keep every step; whole files that are there stay.

    A studio remembers all it drew, so each file has a new one.

    Raises:
        ResultsFolderError: Nothing can be written; what was done is kept.
    """
    for number in range(-(-requests // _PER_FILE)):
        path = folder / f"{number:04d}.npz"
        if not path.exists():
            rng = Random(f"staged-{split}-{seed}-{number}")
            asked = [sample_request(rng, split) for _ in range(_PER_FILE)]
            critic = Listening()
            crew = Crew(planner, critic, studio(), _ATTEMPTS)
            run(crew, asked, [rng.getrandbits(32) for _ in asked])
            write_atomically(path, packed(critic.heard))
        on_file((number + 1) * _PER_FILE)
