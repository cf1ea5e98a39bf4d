"""Turns lessons into batches: tokens, labels, positions and patches.

Not here: what the lessons say (``lessons``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from services.trainer.sketchbook.agents.lessons import Lesson, Picture
from services.trainer.sketchbook.agents.model import (
    IGNORE,
    IMAGE_TOKENS,
    Batch,
    patches,
    positions,
)
from services.trainer.sketchbook.agents.places import (
    Labels,
    changed_labels,
    no_labels,
    place_labels,
)
from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.world import PICTURE_PX, Scene
from shared.llm.engine import ChatMessage, TextPart

_IMAGE = "<|vision_start|>" + "<|image_pad|>" * IMAGE_TOKENS + "<|vision_end|>"
_DECISION_WEIGHT = 5.0
_SORTED_BATCHES = 16
_TYPICAL_TOKENS = 130
_NOISE_BANK = 1 << 22
_ROUGH_SHARE = 0.5
_MAX_NOISE = 0.12


@dataclass(frozen=True, slots=True)
class Encoded:
    """A lesson as tokens; ``start`` is where the answer begins."""

    task: str
    ids: list[int]
    start: int
    pictures: tuple[Picture, ...]
    labels: tuple[Labels, ...] = ()
    learned: tuple[int, ...] = ()
    """The only tokens to learn, if not the whole answer."""


Task = Callable[[Random], Lesson | Encoded]


def chat_text(messages: Sequence[ChatMessage]) -> str:
    """The conversation as the chat template writes it, up to where the answer begins."""
    text: list[str] = []
    for message in messages:
        parts = (p.text if isinstance(p, TextPart) else _IMAGE for p in message.parts)
        text.append(f"<|im_start|>{message.role}\n{''.join(parts)}<|im_end|>\n")
    return "".join(text) + "<|im_start|>assistant\n"


def white_canvas() -> Picture:
    """The picture that stands in where there was none before."""
    return np.full((PICTURE_PX, PICTURE_PX, 3), 255, dtype=np.uint8)


def shown(scene: Scene | Picture | None) -> Picture:
    """A scene drawn, a picture as it is, nothing as a white canvas."""
    if scene is None:
        return white_canvas()
    return render(scene) if isinstance(scene, Scene) else scene


def encode(lesson: Lesson, tokenizer: PreTrainedTokenizerFast, task: str = "") -> Encoded:
    """Tokens of a lesson, its answer closed by the end mark."""
    encoder = tokenizer.backend_tokenizer
    prompt = encoder.encode(chat_text(lesson.messages)).ids
    answer = encoder.encode(lesson.answer + "<|im_end|>").ids
    pictures = tuple(shown(scene) for scene in lesson.scenes)
    labels = tuple(
        no_labels() if isinstance(scene, np.ndarray) else place_labels(scene)
        for scene in lesson.scenes
    )
    return Encoded(task, prompt + answer, len(prompt), pictures, labels)


def encode_drill(thought: str, tokenizer: PreTrainedTokenizerFast) -> Encoded:
    """A comparison as the critic would think it, of which only the marks are learned."""
    ids = tokenizer.backend_tokenizer.encode(f"{chat_text(())}<think>{thought}").ids
    marks = set(tokenizer.convert_tokens_to_ids(["Ġsame", "Ġwrong"]))
    learned = tuple(place for place, token in enumerate(ids) if token in marks)
    return Encoded("pairs", ids, 0, (), learned=learned)


def encode_meaning(lesson: Lesson, exact: str, tokenizer: PreTrainedTokenizerFast) -> Encoded:
    """A drill of which only the last words are learned: what a prompt comes to."""
    encoder = tokenizer.backend_tokenizer
    prompt = encoder.encode(chat_text(lesson.messages)).ids
    given = encoder.encode(lesson.answer.removesuffix(f"{exact}.").rstrip()).ids
    ids = prompt + encoder.encode(lesson.answer).ids
    learned = tuple(range(len(prompt) + len(given), len(ids)))
    return Encoded("meaning", ids, len(prompt), (), learned=learned)


def collate(encoded: Sequence[Encoded], tokenizer: PreTrainedTokenizerFast) -> Batch:
    """Right-padded tensors; labels only on answers, decisions weighing more."""
    longest = max(len(e.ids) for e in encoded)
    shape = (len(encoded), longest)
    ids = np.full(shape, tokenizer.pad_token_id, dtype=np.int64)
    labels = np.full(shape, IGNORE, dtype=np.int64)
    places = np.zeros((3, *shape), dtype=np.int64)
    image_token = int(tokenizer.convert_tokens_to_ids("<|image_pad|>"))
    for row, e in enumerate(encoded):
        ids[row, : len(e.ids)] = e.ids
        for place in e.learned or range(e.start, len(e.ids)):
            labels[row, place] = e.ids[place]
        places[:, row, : len(e.ids)] = positions(e.ids, image_token)
    weights = np.ones(shape)
    for row, e in enumerate(encoded):
        weights[row, decisions(e, tokenizer)] = _DECISION_WEIGHT
    pictures = [picture for e in encoded for picture in e.pictures]
    seen = [label for e in encoded for label in e.labels]
    changed = [label for e in encoded for label in changed_labels(e.labels)]
    return Batch(
        torch.from_numpy(ids), torch.from_numpy(labels), torch.from_numpy(weights).float(),
        torch.from_numpy(places), patches(np.stack(pictures)) if pictures else None,
        torch.from_numpy(np.stack(seen)) if seen else None,
        torch.from_numpy(np.stack(changed)) if changed else None,
    )  # fmt: skip


def decisions(encoded: Encoded, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """Where an answer decides: its marks, what was asked where that is not there, its last words.

    Words that differ from those just said are what a model that guesses gets wrong.
    """
    if encoded.learned:
        return list(encoded.learned)
    names = ["</think>", ".", "Ġsame", "Ġwrong", "Ġasked"]
    thought_end, dot, same, wrong, asked = tokenizer.convert_tokens_to_ids(names)
    answer = encoded.ids[encoded.start :]
    if thought_end not in answer:
        return []
    thought = answer[: answer.index(thought_end)]
    dots = [place for place, token in enumerate(thought) if token == dot]
    if len(dots) <= 1:
        return []
    found, named = list[int](), 0
    for place, token in enumerate(thought[: dots[-2]]):
        named = place + 2 if token == asked else named
        if token == wrong:
            found.extend(range(named, place - 1))
        if token in {same, wrong}:
            found.append(place)
    return [encoded.start + place for place in (*found, dots[-2] + 1)]


class Roughener:
    """Noise, softness and tint for half of the pictures, as drawn pictures are never exact."""

    def __init__(self, seed: int) -> None:
        """Draw a bank of noise once; batches take slices of it."""
        self._generator = torch.Generator().manual_seed(seed)
        self._bank = torch.randn(_NOISE_BANK, generator=self._generator)

    def __call__(self, pictures: Tensor) -> None:
        """Roughen patches (n, 64, 768) in place."""
        draws = torch.rand(len(pictures), 3, generator=self._generator)
        for picture, (chance, strength, softness) in zip(pictures, draws.tolist(), strict=True):
            if chance < _ROUGH_SHARE * 0.7:
                picture.copy_(_softer(picture, softness))
            if chance < _ROUGH_SHARE:
                start = int(strength * 1e6) % (_NOISE_BANK - picture.numel())
                noise = self._bank[start : start + picture.numel()].view_as(picture)
                picture.add_(noise, alpha=strength * _MAX_NOISE).add_((chance - 0.2) * 0.1)


def _softer(picture: Tensor, share: float) -> Tensor:
    """The patches of a picture blurred by a share, each within itself."""
    side = int((picture.shape[-1] // 3) ** 0.5)
    grid = picture.reshape(1, -1, side, side)
    soft = functional.avg_pool2d(grid, 3, 1, padding=1, count_include_pad=False)
    return torch.lerp(picture, soft.view_as(picture), share)


def batches(
    tasks: dict[str, tuple[Task, float]],
    tokenizer: PreTrainedTokenizerFast,
    rng: Random,
    *,
    size: int,
) -> Iterator[tuple[list[Encoded], Batch]]:
    """Endless batches of about ``size`` lessons, more where they are short.

    Lessons of like length go together.
    """
    names = list(tasks)
    shares = [tasks[name][1] for name in names]
    roughen = Roughener(rng.getrandbits(62))
    while True:
        drawn = rng.choices(names, shares, k=size * _SORTED_BATCHES)
        pool = [_made(tasks[name][0](rng), tokenizer, name) for name in drawn]
        pool.sort(key=lambda e: len(e.ids))
        groups = list(_groups(pool, tokens=size * _TYPICAL_TOKENS))
        rng.shuffle(groups)
        for chosen in groups:
            batch = collate(chosen, tokenizer)
            if batch.patched is not None:
                roughen(batch.patched)
            yield chosen, batch


def _made(lesson: Lesson | Encoded, tokenizer: PreTrainedTokenizerFast, task: str) -> Encoded:
    return lesson if isinstance(lesson, Encoded) else encode(lesson, tokenizer, task)


def _groups(pool: Sequence[Encoded], *, tokens: int) -> Iterator[list[Encoded]]:
    """Neighbours whose padded length stays within a number of tokens."""
    group: list[Encoded] = []
    for encoded in pool:
        if group and (len(group) + 1) * len(encoded.ids) > tokens:
            yield group
            group = []
        group.append(encoded)
    if group:
        yield group
