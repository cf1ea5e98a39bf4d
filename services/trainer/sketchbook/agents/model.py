"""The tiny Qwen3-VL: its configuration, a fast training pass, and saving it as a folder.

The training pass computes what the stock forward computes, for batches in which every picture
has the world's size: pictures go through the vision tower as one batch, and loss is taken only
where there are labels. Not here: what is learned (``data``) and the loop (``train``).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedTokenizerFast, Qwen3VLConfig, Qwen3VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.qwen3_vl.modeling_qwen3_vl import (
    BaseModelOutputWithDeepstackFeatures,
    apply_rotary_pos_emb_vision,
)

from services.trainer.sketchbook.world import PICTURE_PX

PATCH_PX = 16
MERGE = 2
GRID_PATCHES = PICTURE_PX // PATCH_PX
IMAGE_TOKENS = (GRID_PATCHES // MERGE) ** 2
IGNORE = -100
_CONTEXT = 2048


def make_config(tokenizer: PreTrainedTokenizerFast) -> Qwen3VLConfig:
    """The configuration of a model of about 1.6 million parameters."""
    ids = tokenizer.convert_tokens_to_ids
    hidden = 128
    return Qwen3VLConfig(
        text_config={
            "vocab_size": len(tokenizer), "hidden_size": hidden, "intermediate_size": 384,
            "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
            "head_dim": 32, "max_position_embeddings": _CONTEXT, "tie_word_embeddings": True,
            "bos_token_id": None, "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
            "rope_parameters": {
                "rope_type": "default", "rope_theta": 10000.0,
                "mrope_section": [6, 5, 5], "mrope_interleaved": True,
            },
        },
        vision_config={
            "depth": 2, "hidden_size": 96, "intermediate_size": 192, "num_heads": 4,
            "patch_size": PATCH_PX, "spatial_merge_size": MERGE, "temporal_patch_size": 2,
            "out_hidden_size": hidden, "num_position_embeddings": GRID_PATCHES**2,
            "deepstack_visual_indexes": [0],
        },
        image_token_id=ids("<|image_pad|>"), video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"), vision_end_token_id=ids("<|vision_end|>"),
        tie_word_embeddings=True,
    )  # fmt: skip


def new_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> Qwen3VLForConditionalGeneration:
    """A freshly initialised model in float32."""
    torch.manual_seed(seed)
    return Qwen3VLForConditionalGeneration(make_config(tokenizer)).float()


def image_processor() -> Qwen2VLImageProcessorPil:
    """Brings any picture to about the world's size and scales it to -1 .. 1."""
    return Qwen2VLImageProcessorPil(
        size={"shortest_edge": PICTURE_PX**2, "longest_edge": PICTURE_PX**2},
        image_mean=[0.5] * 3, image_std=[0.5] * 3, patch_size=PATCH_PX,
    )  # fmt: skip


def patches(pictures: npt.NDArray[np.uint8]) -> Tensor:
    """Pictures (n, 128, 128, 3) as (n, 64, 768) patches in the tower's order, scaled -1 .. 1."""
    count, half = len(pictures), GRID_PATCHES // MERGE
    grid = pictures.reshape(count, half, MERGE, PATCH_PX, half, MERGE, PATCH_PX, 3)
    grid = grid.transpose(0, 1, 4, 2, 5, 7, 3, 6).reshape(count, GRID_PATCHES**2, -1)
    return torch.from_numpy(np.ascontiguousarray(grid)).float().div_(127.5).sub_(1.0)


def positions(ids: list[int], image_token: int) -> npt.NDArray[np.int64]:
    """The (3, length) rotary positions of a sequence whose pictures are 4 x 4 tokens."""
    side = GRID_PATCHES // MERGE
    found = np.empty((3, len(ids)), dtype=np.int64)
    place, now = 0, 0
    while place < len(ids):
        if ids[place] == image_token:
            rows, columns = np.divmod(np.arange(IMAGE_TOKENS), side)
            found[:, place : place + IMAGE_TOKENS] = (np.zeros_like(rows) + now, rows + now,
                                                      columns + now)  # fmt: skip
            place, now = place + IMAGE_TOKENS, now + side
        else:
            found[:, place] = now
            place, now = place + 1, now + 1
    return found


def see(
    model: Qwen3VLForConditionalGeneration, patched: Tensor
) -> BaseModelOutputWithDeepstackFeatures:
    """What the vision tower makes of patches (n, 64, 768): the stock result, as one batch."""
    tower = model.model.visual
    weight = tower.patch_embed.proj.weight.sum(2).flatten(1)
    hidden = functional.linear(patched, weight, tower.patch_embed.proj.bias)
    rows, columns = (places.to(patched.device) for places in _patch_places())
    hidden = hidden + tower.pos_embed(rows * GRID_PATCHES + columns)
    cos, sin = tower.rotary_pos_emb(hidden, torch.stack([rows, columns], dim=-1))
    deep: list[Tensor] = []
    for number, block in enumerate(tower.blocks):
        hidden = hidden + _attend(block.attn, block.norm1(hidden), cos, sin)
        hidden = hidden + block.mlp(block.norm2(hidden))
        if number in tower.deepstack_visual_indexes:
            merger = tower.deepstack_merger_list[tower.deepstack_visual_indexes.index(number)]
            deep.append(merger(hidden.flatten(0, 1)))
    return BaseModelOutputWithDeepstackFeatures(
        pooler_output=(tower.merger(hidden.flatten(0, 1)),),
        deepstack_features=[(feature,) for feature in deep],
    )


def _attend(attention: torch.nn.Module, hidden: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    count, length, _ = hidden.shape
    mixed = attention.qkv(hidden).view(count, length, 3, attention.num_heads, -1)
    query, key = apply_rotary_pos_emb_vision(mixed[:, :, 0], mixed[:, :, 1], cos, sin)
    out = functional.scaled_dot_product_attention(
        query.transpose(1, 2), key.transpose(1, 2), mixed[:, :, 2].transpose(1, 2)
    )
    return attention.proj(out.transpose(1, 2).flatten(2))


def _patch_places() -> tuple[Tensor, Tensor]:
    """Row and column of every patch in the tower's order (2 x 2 blocks together)."""
    half = GRID_PATCHES // MERGE
    grid = torch.arange(GRID_PATCHES**2).view(half, MERGE, half, MERGE).transpose(1, 2).flatten()
    return grid // GRID_PATCHES, grid % GRID_PATCHES


@dataclass(frozen=True, slots=True)
class Batch:
    """Right-padded sequences: ids and labels (n, length), positions (3, n, length)."""

    ids: Tensor
    labels: Tensor
    weights: Tensor
    positions: Tensor
    patched: Tensor | None
    """(pictures, 64, 768), in the order of their place marks."""
    place_labels: Tensor | None = None
    """(pictures, 2, 16), see ``places``."""
    changed: Tensor | None = None
    """(pictures, 16), see ``places``."""

    def to(self, device: str) -> Batch:
        """The same batch on another device."""
        held = ((each.name, getattr(self, each.name)) for each in fields(self))
        return Batch(**{name: None if tensor is None else tensor.to(device)
                        for name, tensor in held})  # fmt: skip


Seen = BaseModelOutputWithDeepstackFeatures


def hidden_states(
    model: Qwen3VLForConditionalGeneration, batch: Batch, seen: Seen | None
) -> Tensor:
    """The last hidden states (n, length, hidden); padding sits on the right, so no mask."""
    return model.model(
        input_ids=batch.ids, position_ids=batch.positions, use_cache=False,
        mm_encoder_outputs={"image": seen} if seen is not None else None,
    ).last_hidden_state  # fmt: skip


def token_losses(
    model: Qwen3VLForConditionalGeneration, batch: Batch, seen: Seen | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Loss of every labelled token, its weight, and whether the greedy choice is right."""
    hidden = hidden_states(model, batch, seen)[:, :-1]
    wanted = batch.labels[:, 1:]
    chosen = wanted != IGNORE
    logits = model.lm_head(hidden[chosen]).float()
    targets = wanted[chosen]
    losses = functional.cross_entropy(logits, targets, reduction="none")
    return losses, batch.weights[:, 1:][chosen], logits.argmax(-1) == targets


def save_folder(
    model: Qwen3VLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> None:
    """Write a folder that transformers and vLLM load as any other Qwen3-VL."""
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.bos_token_id = None
    # Half precision halves the files; in use the weights are widened again.
    deepcopy(model).cpu().half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    image_processor().save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)
