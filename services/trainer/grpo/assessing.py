"""What a critic's reply leads to: read it, draw by its prompt, mark the picture.

Total: whatever fails or takes too long gives an outcome without a new picture, which the rewards
take as neutral; how often that happens is counted. Not here: the rewards (``rewards``).
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import structlog
from PIL import Image

from services.trainer.data.records import Score
from services.trainer.grpo.drawing import Drawer, DrawOrder
from services.trainer.rewards import Marks, Outcome
from shared.prompts.critic import UnparsableVerdictError, VerdictDraft, parse_verdict

_log = structlog.get_logger(__name__)
_MAX_KEPT = 4096
T = TypeVar("T")


class PictureScorer(Protocol):
    """Marks a picture in memory."""

    async def score_pictures(self, before: bytes | None, prompt: str, after: bytes) -> Score:
        """Marks of a PNG file that the prompt asked for; raises ``UnscorableError``."""
        ...


@dataclass(frozen=True, slots=True)
class Case:
    """A picture that was judged; ``before`` is None where nothing was edited."""

    id: str
    before: bytes | None
    after: bytes
    plan_prompt: str
    used_prompt: str
    truth: bool
    old: Marks


@dataclass(frozen=True, slots=True)
class Assessed:
    """A reply, what it led to, and the new picture if one was drawn."""

    outcome: Outcome
    said: VerdictDraft | None
    picture: bytes | None = None
    score: Score | None = None
    problem: str = ""

    @property
    def repaired(self) -> bool:
        """Whether the new picture is right, exactly where that is known, else clearly better."""
        if self.score is None:
            return False
        if self.score.success is not None:
            return self.score.success
        return self.outcome.old is not None and self.score.marks.score > self.outcome.old.score


Drawing = dict[str, asyncio.Task[tuple[bytes, Score]]]
"""What a batch draws, by the name of the order: replies that ask for the same share the picture."""


@dataclass(slots=True)
class Assessor:
    """Draws and marks, so many at a time, each within a time limit."""

    drawer: Drawer | None
    """None: nothing is drawn, every step's part stays neutral."""
    scorer: PictureScorer
    concurrency: int = 8
    time_limit_s: float = 70.0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop, init=False)
    _pool: ThreadPoolExecutor = field(init=False)
    _known: dict[str, tuple[bytes, Score]] = field(
        default_factory=dict[str, tuple[bytes, Score]], init=False
    )

    def __post_init__(self) -> None:
        """Start the thread that all drawing and marking is done from."""
        # A pool thread may still wait for a call that was given up: have some to spare.
        self._pool = ThreadPoolExecutor(2 * self.concurrency, thread_name_prefix="drawing")
        threading.Thread(target=self._loop.run_forever, name="assessing", daemon=True).start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run something on the assessor's own loop, from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def assess_all(
        self, cases: Sequence[Case], replies: Sequence[str], *, seed: int
    ) -> list[Assessed]:
        """One outcome for each reply; never raises. Run it through ``submit``."""
        slots = asyncio.Semaphore(self.concurrency)
        drawing: Drawing = {}
        pairs = zip(cases, replies, strict=True)
        ones = (self._one(case, reply, drawing, slots, seed=seed) for case, reply in pairs)
        return list(await asyncio.gather(*ones))

    async def _one(
        self, case: Case, reply: str, drawing: Drawing, slots: asyncio.Semaphore, *, seed: int
    ) -> Assessed:
        try:
            said = parse_verdict(reply)
        except UnparsableVerdictError:
            return Assessed(Outcome(None, case.truth, case.old), None)
        outcome = Outcome(said.previous_step_success, case.truth, case.old)
        if case.truth or self.drawer is None:
            return Assessed(outcome, said)
        try:
            order = drawing_order(case, said.refine_prompt or case.used_prompt, seed=seed)
            if order.name not in drawing:
                drawing[order.name] = asyncio.create_task(self._drawn(case, order, slots))
            picture, score = await drawing[order.name]
        except Exception as error:  # noqa: BLE001 - one exception would end the whole run
            problem = f"{type(error).__name__}: {error}"
            _log.warning("redrawing_failed", case=case.id, problem=problem)
            return Assessed(outcome, said, problem=problem)
        new = Outcome(outcome.verdict, outcome.truth, outcome.old, score.marks)
        return Assessed(new, said, picture, score)

    async def _drawn(
        self, case: Case, order: DrawOrder, slots: asyncio.Semaphore
    ) -> tuple[bytes, Score]:
        """The picture with its marks; an order of an earlier batch is not drawn again."""
        known = self._known.get(order.name)
        if known is not None:
            return known
        async with slots:
            picture, score = await self._drawn_in_time(case, order)
        while len(self._known) >= _MAX_KEPT:
            self._known.pop(next(iter(self._known)))
        self._known[order.name] = picture, score
        return picture, score

    async def _drawn_in_time(self, case: Case, order: DrawOrder) -> tuple[bytes, Score]:
        gave_up = threading.Event()
        try:
            async with asyncio.timeout(self.time_limit_s):
                picture = await self._loop.run_in_executor(self._pool, self._draw, order, gave_up)
                score = await self.scorer.score_pictures(case.before, case.plan_prompt, picture)
        finally:
            gave_up.set()
        return picture, score

    def _draw(self, order: DrawOrder, gave_up: threading.Event) -> bytes:
        if self.drawer is None:
            raise RuntimeError("there is nobody to draw")
        return self.drawer.draw(order, gave_up.is_set)


def drawing_order(case: Case, prompt: str, *, seed: int) -> DrawOrder:
    """What to draw: from the step's original source, as every retry does.

    All replies to one case share a seed, so that what differs between them is their prompts.
    """
    with Image.open(io.BytesIO(case.after)) as image:
        width, height = image.size
    digest = hashlib.sha256(f"{case.id} {seed}".encode()).digest()
    return DrawOrder(prompt, case.before, width, height, int.from_bytes(digest[:4], "big"))
