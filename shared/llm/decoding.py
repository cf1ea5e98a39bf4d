"""Makes an answer token by token with a key-value cache, and stops when told to.

A plain loop, because the general one of transformers spends most of a tiny model's time on
itself. Not here: turning messages into tokens (``qwen3_vl``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedTokenizerBase, Qwen3VLForConditionalGeneration

from shared.errors import ServiceRejectedError

_UNFINISHED = "\ufffd"
_MAX_HELD_BACK = 4
"""Tokens kept back at most while their bytes are no whole character."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation as tensors: ids and kinds (1, length), patches and grids of the images."""

    ids: Tensor
    kinds: Tensor
    pixels: Tensor | None
    grids: Tensor | None


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen; temperature 0 takes the likeliest."""

    max_tokens: int
    temperature: float
    seed: int


def decode(
    model: Qwen3VLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerBase,
    prompt: Prompt,
    sampling: Sampling,
    *,
    stop: threading.Event,
) -> Iterator[str]:
    """The answer in pieces of whole characters, until it ends, ``max_tokens``, or ``stop``.

    Raises:
        ServiceRejectedError: The conversation leaves no room for an answer.
    """
    held: list[int] = []
    for token in _tokens(model, tokenizer, prompt, sampling):
        held.append(token)
        text = str(
            tokenizer.decode(held, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )
        if not text.endswith(_UNFINISHED) or len(held) > _MAX_HELD_BACK:
            held = []
            if text:
                yield text
        if stop.is_set():
            return


def _tokens(
    model: Qwen3VLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerBase,
    prompt: Prompt,
    sampling: Sampling,
) -> Iterator[int]:
    limit = _room(model, prompt, sampling)
    chooser = _Chooser(sampling, prompt.ids.device)
    ends = _end_tokens(model, tokenizer)
    cache = DynamicCache(config=model.config)
    with torch.inference_mode():
        logits = _first(model, prompt, cache)
        for _ in range(limit):
            token = chooser(logits)
            if token in ends:
                return
            yield token
            step = torch.tensor([[token]], device=prompt.ids.device)
            logits = model(input_ids=step, cache=cache, use_cache=True).logits[0, -1]


def _first(model: Qwen3VLForConditionalGeneration, prompt: Prompt, cache: DynamicCache) -> Tensor:
    """Read the prompt; the position offset of an earlier conversation must not leak in."""
    model.model.rope_deltas = None
    seen = (
        {"pixel_values": prompt.pixels.to(model.dtype), "image_grid_thw": prompt.grids,
         "mm_token_type_ids": prompt.kinds}
        if prompt.pixels is not None
        else {}
    )  # fmt: skip
    answer = model(input_ids=prompt.ids, cache=cache, use_cache=True, logits_to_keep=1, **seen)
    return answer.logits[0, -1]


def _room(model: Qwen3VLForConditionalGeneration, prompt: Prompt, sampling: Sampling) -> int:
    context = int(model.config.get_text_config().max_position_embeddings)
    room = context - prompt.ids.shape[1]
    if room < 1:
        raise ServiceRejectedError(
            f"the conversation has {prompt.ids.shape[1]} tokens, the model reads {context}"
        )
    return min(room, sampling.max_tokens)


def _end_tokens(
    model: Qwen3VLForConditionalGeneration, tokenizer: PreTrainedTokenizerBase
) -> frozenset[int]:
    configured: Any = getattr(model.generation_config, "eos_token_id", None)
    ends: list[Any] = configured if isinstance(configured, list) else [configured]
    return frozenset(end for end in (*ends, tokenizer.eos_token_id) if isinstance(end, int))


class _Chooser:
    """Chooses the next token; sampling is repeatable from the seed."""

    def __init__(self, sampling: Sampling, device: torch.device) -> None:
        self._temperature = sampling.temperature
        self._generator = torch.Generator(device).manual_seed(sampling.seed)

    def __call__(self, logits: Tensor) -> int:
        if self._temperature <= 0:
            return int(logits.argmax())
        shares = torch.softmax(logits.float() / self._temperature, dim=-1)
        return int(torch.multinomial(shares, 1, generator=self._generator))
