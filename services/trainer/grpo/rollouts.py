"""Answers of a Sketchbook-sized Qwen3-VL to many prompts at once, on a CPU.

A prompt is read once for all its answers, answers that have ended make room, and the loop spends
its time on sums instead of on itself: about five times the pace of the general one. Pictures have
the world's size. Not here: single answers of any model (``shared.llm``), learning (``quick``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache, Qwen3VLForConditionalGeneration

from services.trainer.sketchbook.agents.model import positions, see

_CROWDED = 0.75
"""When fewer answers than this share go on, the others' room is given up."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Tokens, and the pictures that their marks stand for as (n, 64, 768) patches."""

    ids: Sequence[int]
    patched: Tensor


@dataclass(frozen=True, slots=True)
class Choosing:
    """How tokens are chosen; temperature 0 takes the likeliest."""

    limit: int
    ends: frozenset[int]
    temperature: float = 0.0
    noise: torch.Generator | None = None


@dataclass(slots=True)
class _Memory:
    """What was read: keys and values of each layer (n, heads, room, width), and how far."""

    keys: list[Tensor]
    values: list[Tensor]
    lengths: Tensor
    places: Tensor
    """The rotary position of the next token."""

    def kept(self, rows: Tensor) -> _Memory:
        """Only these rows; a row may come several times."""
        keys, values = ([each[rows] for each in kind] for kind in (self.keys, self.values))
        return _Memory(keys, values, self.lengths[rows], self.places[rows])


@torch.inference_mode()
def answers(
    model: Qwen3VLForConditionalGeneration,
    prompts: Sequence[Prompt],
    choosing: Choosing,
    *,
    copies: int = 1,
) -> list[list[int]]:
    """``copies`` answers to each prompt, one after the other; the end mark is part of them."""
    memory, logits = _read(model, prompts, room=choosing.limit)
    rows = torch.arange(len(prompts)).repeat_interleave(copies)
    memory, logits = memory.kept(rows), logits[rows]
    found: list[list[int]] = [[] for _ in rows]
    who = torch.arange(len(rows))
    for _ in range(choosing.limit):
        tokens = _chosen(logits, choosing)
        going: list[int] = []
        for row, (one, token) in enumerate(zip(who.tolist(), tokens.tolist(), strict=True)):
            if one >= 0:
                found[one].append(token)
                if token not in choosing.ends:
                    going.append(row)
                else:
                    who[row] = -1
        if not going:
            break
        if len(going) < _CROWDED * len(who):
            left = torch.tensor(going)
            memory, who, tokens = memory.kept(left), who[left], tokens[left]
        logits = _next(model, memory, tokens)
    return found


def _chosen(logits: Tensor, choosing: Choosing) -> Tensor:
    if choosing.temperature <= 0:
        return logits.argmax(-1)
    shares = torch.softmax(logits.float() / choosing.temperature, dim=-1)
    return torch.multinomial(shares, 1, generator=choosing.noise)[:, 0]


def _read(
    model: Qwen3VLForConditionalGeneration, prompts: Sequence[Prompt], *, room: int
) -> tuple[_Memory, Tensor]:
    """Read prompts, padded on the right, which needs no mask; the logits of each first token."""
    lengths = torch.tensor([len(prompt.ids) for prompt in prompts])
    longest = int(lengths.max())
    ids = torch.zeros(len(prompts), longest, dtype=torch.long)
    places = torch.zeros(3, len(prompts), longest, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, : len(prompt.ids)] = torch.tensor(prompt.ids)
        found = positions(list(prompt.ids), model.config.image_token_id)
        places[:, row, : len(prompt.ids)] = torch.from_numpy(found)
    pictures = torch.cat([prompt.patched for prompt in prompts])
    cache = DynamicCache(config=model.config)
    hidden = model.model(
        input_ids=ids, position_ids=places, use_cache=True, cache=cache,
        mm_encoder_outputs={"image": see(model, pictures)} if len(pictures) else None,
    ).last_hidden_state  # fmt: skip
    last = hidden[torch.arange(len(prompts)), lengths - 1]
    kept: list[Any] = list(cache.layers)
    memory = _Memory(
        [functional.pad(layer.keys, (0, 0, 0, room)) for layer in kept],
        [functional.pad(layer.values, (0, 0, 0, room)) for layer in kept],
        lengths, places.amax((0, 2)) + 1,
    )  # fmt: skip
    return memory, model.lm_head(last)


def _next(model: Qwen3VLForConditionalGeneration, memory: _Memory, tokens: Tensor) -> Tensor:
    """Read one more token of each row; the logits of the token after it."""
    text: Any = model.model.language_model
    hidden = text.embed_tokens(tokens)
    turned = text.rotary_emb(hidden, memory.places.view(1, -1, 1))
    read = int(memory.lengths.max()) + 1
    unseen = torch.arange(read) > memory.lengths[:, None]
    mask = torch.zeros(unseen.shape).masked_fill_(unseen, float("-inf"))[:, None, None]
    for number, layer in enumerate(text.layers):
        held = memory.keys[number], memory.values[number], memory.lengths
        hidden = hidden + _attended(layer, hidden, turned, held, mask)
        hidden = hidden + layer.mlp(layer.post_attention_layernorm(hidden))
    memory.lengths += 1
    memory.places += 1
    return model.lm_head(text.norm(hidden))


def _attended(
    layer: Any,  # noqa: ANN401 - a layer of the library's
    hidden: Tensor,
    turned: tuple[Tensor, Tensor],
    held: tuple[Tensor, Tensor, Tensor],
    mask: Tensor,
) -> Tensor:
    keys, values, lengths = held
    own, rows = layer.self_attn, torch.arange(len(hidden))
    normed = layer.input_layernorm(hidden)
    shape = (len(hidden), -1, own.head_dim)
    query = _rotated(own.q_norm(own.q_proj(normed).view(shape)), turned)
    keys[rows, :, lengths] = _rotated(own.k_norm(own.k_proj(normed).view(shape)), turned)
    values[rows, :, lengths] = own.v_proj(normed).view(shape)
    read = mask.shape[-1]
    # Query heads that share keys stand where a sequence would: nothing has to be repeated.
    grouped = query.view(len(hidden), keys.shape[1], -1, own.head_dim)
    seen = functional.scaled_dot_product_attention(
        grouped, keys[:, :, :read], values[:, :, :read], attn_mask=mask
    )
    return own.o_proj(seen.flatten(1))


def _rotated(vectors: Tensor, turned: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary position of (n, heads, width)."""
    cos, sin = turned
    first, second = vectors.chunk(2, dim=-1)
    return vectors * cos + torch.cat((-second, first), dim=-1) * sin
