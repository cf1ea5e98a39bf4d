"""Planner and critic asked many questions at once: same pack, tokens and parsers as the services.

Answers are the likeliest ones, so the same question is never asked twice. Not here: what follows
from the answers (``trajectories``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase, Qwen3VLForConditionalGeneration

from services.trainer.grpo.rollouts import Choosing, Prompt, answers
from services.trainer.sketchbook.agents.data import chat_text, shown, white_canvas
from services.trainer.sketchbook.agents.lessons import pack
from services.trainer.sketchbook.agents.model import patches
from services.trainer.sketchbook.reading import Picture
from services.trainer.sketchbook.requests import SketchRequest
from shared.contracts.plans import PlanStep
from shared.llm.engine import ChatMessage
from shared.prompts.critic import UnparsableVerdictError, VerdictDraft, parse_verdict
from shared.prompts.planner import PlanFacts, UnparsablePlanError, parse_plan, plan_faults
from shared.prompts.rendering import render_plan_messages, render_verdict_messages

_BATCH = 48
_REASKS = 2
_REASK_TEMPERATURE = 0.7
_WEIGHTS = "model.safetensors"


def digest(folder: Path) -> str:
    """Names the weights of a folder: another checkpoint in the same place is another one."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Judged:
    """What the critic is shown; ``before`` is None where nothing was edited."""

    prompt: str
    used: str
    before: Picture | None
    after: Picture

    @property
    def key(self) -> str:
        """The same for the same question."""
        found = hashlib.sha256(f"{self.prompt}\n{self.used}\n".encode())
        found.update(b"" if self.before is None else self.before.tobytes())
        found.update(self.after.tobytes())
        return found.hexdigest()


@dataclass(slots=True)
class Agents:
    """One checkpoint, as planner, as critic, or as both."""

    folder: Path
    _model: Qwen3VLForConditionalGeneration = field(init=False)
    _tokenizer: PreTrainedTokenizerBase = field(init=False)
    _ends: frozenset[int] = field(init=False)
    _plans: dict[str, tuple[PlanStep, ...]] = field(
        default_factory=dict[str, tuple[PlanStep, ...]], init=False
    )
    _verdicts: dict[str, VerdictDraft | None] = field(
        default_factory=dict[str, VerdictDraft | None], init=False
    )

    def __post_init__(self) -> None:
        """Load the checkpoint."""
        loaded = Qwen3VLForConditionalGeneration.from_pretrained(self.folder, dtype=torch.float32)
        self._model = loaded.eval()
        self._tokenizer = AutoTokenizer.from_pretrained(self.folder)
        end: Any = self._tokenizer.convert_tokens_to_ids("<|im_end|>")
        self._ends = frozenset({int(end)})

    def plans(self, requests: Sequence[SketchRequest]) -> list[tuple[PlanStep, ...]]:
        """A plan for each request; none if no answer gives one that keeps the rules.

        As in the service an unusable plan is asked for again with some temperature.
        """
        unknown = [each for each in requests if _name(each) not in self._plans]
        for attempt in range(1 + _REASKS):
            warmth = _REASK_TEMPERATURE if attempt else 0.0
            replies = self._answers([self._plan_prompt(each) for each in unknown],
                                    pack().planner.max_tokens, temperature=warmth)  # fmt: skip
            for request, reply in zip(unknown, replies, strict=True):
                self._plans[_name(request)] = _usable_plan(request, reply)
            unknown = [each for each in unknown if not self._plans[_name(each)]]
        return [self._plans[_name(each)] for each in requests]

    def verdicts(self, cases: Sequence[Judged]) -> list[VerdictDraft | None]:
        """A verdict for each case; None where the answer cannot be read."""
        unknown = {case.key: case for case in cases if case.key not in self._verdicts}
        replies = self._answers(
            [self._verdict_prompt(case) for case in unknown.values()], pack().critic.max_tokens
        )
        for key, reply in zip(unknown, replies, strict=True):
            self._verdicts[key] = _verdict(reply)
        return [self._verdicts[case.key] for case in cases]

    def _answers(
        self, prompts: Sequence[Prompt], limit: int, *, temperature: float = 0.0
    ) -> list[str]:
        """Like lengths are answered together, so that little is padded."""
        order = sorted(range(len(prompts)), key=lambda n: len(prompts[n].ids))
        noise = torch.Generator().manual_seed(0)
        choosing = Choosing(limit, self._ends, temperature, noise)
        found: dict[int, str] = {}
        for at in range(0, len(order), _BATCH):
            some = order[at : at + _BATCH]
            made = answers(self._model, [prompts[n] for n in some], choosing)
            texts = self._tokenizer.batch_decode(made, skip_special_tokens=True)
            found |= dict(zip(some, texts, strict=True))
        return [found[n] for n in range(len(prompts))]

    def _plan_prompt(self, request: SketchRequest) -> Prompt:
        blank = [b""] * len(request.images)
        messages = render_plan_messages(pack(), request.text, blank)
        return self._prompt(messages, [shown(scene) for scene in request.images])

    def _verdict_prompt(self, case: Judged) -> Prompt:
        messages = render_verdict_messages(pack(), case.prompt, case.used, before=b"", after=b"")
        before = white_canvas() if case.before is None else case.before
        return self._prompt(messages, [before, case.after])

    def _prompt(self, messages: Sequence[ChatMessage], pictures: Sequence[Picture]) -> Prompt:
        ids = self._tokenizer(chat_text(messages), add_special_tokens=False)["input_ids"]
        seen = patches(np.stack(pictures)) if pictures else torch.zeros(0, 64, 768)
        return Prompt(list(ids), seen)


def _name(request: SketchRequest) -> str:
    return f"{request.text} {request.images}"


def _usable_plan(request: SketchRequest, reply: str) -> tuple[PlanStep, ...]:
    try:
        plan = parse_plan(reply)
    except UnparsablePlanError:
        return ()
    return () if plan_faults(plan, PlanFacts(len(request.images), None, 20)) else plan


def _verdict(reply: str) -> VerdictDraft | None:
    try:
        return parse_verdict(reply)
    except UnparsableVerdictError:
        return None
