"""Who makes the trajectories: services of our own with a teacher, or one that runs already.

A service of our own is started once for each generator, with planner and critic on the teacher's
chat server. Not here: the Sketchbook teacher's answers (``teacher``).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.trainer.data.records import PromptRecord
from services.trainer.data.teacher import ErrorRates, SketchbookTeacher
from services.trainer.data.teacher_server import TEACHER, serving
from services.trainer.data.world import world_request
from services.trainer.sketchbook.stack import running_service
from services.trainer.sketchbook.trajectories import Service


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible chat server that plans and judges."""

    url: str
    model: str
    key: str = ""

    def environment(self) -> dict[str, str]:
        """Settings that give planner and critic this model."""
        found: dict[str, str] = {}
        for role in ("PLANNER", "CRITIC"):
            found |= {
                f"{role}_ENGINE": "openai",
                f"{role}_BASE_URL": self.url,
                f"{role}_MODEL": self.model,
                f"{role}_API_KEY": self.key,
            }
        return found


@contextmanager
def sketchbook_teacher(
    prompts: Sequence[PromptRecord], errors: ErrorRates, *, seed: int
) -> Generator[Endpoint]:
    """The exact teacher, knowing these requests, for the length of the block."""
    requests = [world_request(p.world_seed) for p in prompts if p.world_seed is not None]
    with serving(SketchbookTeacher(requests, errors, seed=seed)) as url:
        yield Endpoint(url, TEACHER)


@contextmanager
def own_service(
    teacher: Endpoint, generator: Path, *, models: Path, pack: str
) -> Generator[Service]:
    """A service on this machine with the teacher and one generator folder.

    Raises:
        StackStartError: It did not start.
    """
    settings = {
        **teacher.environment(),
        "PLANNER_PACK": pack,
        "CRITIC_PACK": pack,
        "GENERATOR_MODEL": str(generator.resolve()),
    }
    with running_service(models, settings) as service:
        yield service
