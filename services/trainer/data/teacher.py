"""The Sketchbook teacher: an exact planner and an exact critic, wrong as often as they are told.

It answers the very messages that the services send to any chat model. Errors depend on the
question and a seed alone. Not here: HTTP (``teacher_server``).
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from PIL import Image

from services.trainer.data.catalogue import normal
from services.trainer.sketchbook.agents.lessons import plan_answer, verdict_answer
from services.trainer.sketchbook.failures import reason_for
from services.trainer.sketchbook.grader import Grade, decode, grade_reading
from services.trainer.sketchbook.language import UnknownWordingError, outcomes_of
from services.trainer.sketchbook.reading import Picture
from services.trainer.sketchbook.requests import IMAGE_MARK, SketchRequest
from services.trainer.sketchbook.samples import CriticSample
from services.trainer.sketchbook.settling import refined
from services.trainer.sketchbook.wording import Split
from services.trainer.sketchbook.world import ImpossibleEditError, Scene
from shared.errors import InvalidRequestError
from shared.llm.engine import ChatMessage, ImagePart, TextPart

_VERDICT = re.compile(r"Plan: (?P<plan>.*)\nUsed: (?P<used>.*)", re.DOTALL)
_UNCLEAR = "the picture is not clear."
_PAIR = 2
_WHITE = 255


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """How often the teacher is wrong, 0 to 1."""

    planner: float = 0.0
    """A step is left out."""
    critic: float = 0.0
    """The verdict is the opposite of the truth."""


class SketchbookTeacher:
    """Knows the plan of every given request, and how to read pictures."""

    def __init__(
        self, requests: Iterable[SketchRequest], errors: ErrorRates, *, seed: int = 0
    ) -> None:
        self._requests = {normal(request.text): request for request in requests}
        self._errors = errors
        self._seed = seed

    def answer(self, messages: Sequence[ChatMessage]) -> str:
        """The reply to a planner's or a critic's question.

        Raises:
            InvalidRequestError: It is neither, or a request that was not given beforehand.
        """
        question = messages[-1]
        rng = Random(f"{self._seed}-{_digest(question)}")
        text = "".join(p.text if isinstance(p, TextPart) else IMAGE_MARK for p in question.parts)
        found = _VERDICT.search(text)
        if found and len(question.images) == _PAIR:
            return self._verdict(found["plan"], found["used"], question.images, rng)
        request = self._requests.get(normal(text))
        if request is None:
            raise InvalidRequestError("the teacher was not given this request beforehand")
        if rng.random() < self._errors.planner:
            request = _shortened(request, rng)
        return plan_answer(request)

    def _verdict(self, plan: str, used: str, images: Sequence[bytes], rng: Random) -> str:
        before, after = (_opened(image) for image in images)
        scene = None if bool((before == _WHITE).all()) else decode(before).scene
        return judged(
            scene, plan, used, after, wrong=rng.random() < self._errors.critic, rng=rng
        )  # fmt: skip


def judged(
    before: Scene | None, plan: str, used: str, after: Picture, *, wrong: bool, rng: Random
) -> str:
    """The critic's whole reply on a picture; ``wrong`` turns the verdict round."""
    try:
        right = outcomes_of(before, plan)
    except (UnknownWordingError, ImpossibleEditError):
        right = ()
    if not right:
        return _plain(success=False, refine=used, reason="this cannot be done here.")
    seen = grade_reading(before, right, decode(after))
    success = seen.success != wrong
    refine = used if success else _refined(before, plan, rng) or used
    scene = seen.goal if wrong and success else seen.reading.scene
    reason = _reason(right, seen, success=success)
    sample = CriticSample(before, plan, used, scene, success, refine, reason)
    return verdict_answer(sample)


def _reason(right: tuple[Scene, ...], seen: Grade, *, success: bool) -> str:
    if success:
        return "everything is as asked."
    return _UNCLEAR if seen.reading.scene in right else reason_for(right, seen.reading.scene)


def _refined(before: Scene | None, plan: str, rng: Random) -> str:
    try:
        return refined(before, plan, rng, Split.TRAIN)
    except (UnknownWordingError, ImpossibleEditError):
        return ""


def _plain(*, success: bool, refine: str, reason: str) -> str:
    verdict = {"previous_step_success": success, "refine_prompt": refine}
    return f"<think>{reason}</think><answer>{json.dumps(verdict)}</answer>"


def _shortened(request: SketchRequest, rng: Random) -> SketchRequest:
    """The request with a step of its plan left out, if it has two."""
    if len(request.plan) < _PAIR:
        return request
    lost = rng.randrange(len(request.plan))
    first = request.plan[0].step_number
    rest = [step for number, step in enumerate(request.plan) if number != lost]
    steps = tuple(replace(step, step_number=first + n) for n, step in enumerate(rest))
    return replace(request, plan=steps)


def _opened(content: bytes) -> Picture:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)


def _digest(message: ChatMessage) -> str:
    digest = hashlib.sha256()
    for part in message.parts:
        digest.update(part.png if isinstance(part, ImagePart) else part.text.encode())
    return digest.hexdigest()
