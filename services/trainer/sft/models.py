"""Models to train: from a folder or the hub, from random weights, or at reduced width.

At reduced width the model has the depth and the shape of Qwen3-VL-8B (36 layers, 27 vision
layers, three deep features, interleaved rotary sections) and random weights a few numbers wide,
so that every part of a run at full size can be tried on a laptop. Not here: the processor.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, Qwen3VLConfig, Qwen3VLForConditionalGeneration

from services.trainer.benchmarks.records import BenchmarkDataError
from services.trainer.sft.processor import PictureProcessor, load_processor

_TOKENIZER = "models/sketchbook/critic"
"""Gives the reduced model its words: nothing has to be downloaded for it."""


@dataclass(frozen=True, slots=True)
class Start:
    """What training starts from."""

    model: str
    dtype: str = "float32"
    scratch: bool = False
    """Random weights instead of the folder's."""
    reduced: bool = False
    seed: int = 0


def load_model(
    start: Start,
) -> tuple[Qwen3VLForConditionalGeneration, PictureProcessor]:
    """The model and its processor.

    Raises:
        BenchmarkDataError: There is no such model.
    """
    try:
        if start.reduced:
            processor = load_processor(_TOKENIZER)
            torch.manual_seed(start.seed)
            return Qwen3VLForConditionalGeneration(reduced_config(processor)), processor
        processor = load_processor(start.model)
        if start.scratch:
            torch.manual_seed(start.seed)
            config = AutoConfig.from_pretrained(start.model)
            return Qwen3VLForConditionalGeneration(config).to(_dtype(start.dtype)), processor
        return Qwen3VLForConditionalGeneration.from_pretrained(
            start.model, dtype=_dtype(start.dtype)
        ), processor
    except OSError as error:
        raise BenchmarkDataError(f"no model at {start.model}: {error}") from error


def _dtype(name: str) -> torch.dtype:
    """The dtype on a GPU; a CPU trains in float32."""
    return getattr(torch, name) if torch.cuda.is_available() else torch.float32


def reduced_config(processor: PictureProcessor) -> Qwen3VLConfig:
    """Qwen3-VL-8B's shape, narrow."""
    tokenizer = processor.tokenizer
    ids = tokenizer.convert_tokens_to_ids
    hidden = 64
    return Qwen3VLConfig(
        text_config={
            "vocab_size": len(tokenizer), "hidden_size": hidden, "intermediate_size": 192,
            "num_hidden_layers": 36, "num_attention_heads": 4, "num_key_value_heads": 1,
            "head_dim": 32, "max_position_embeddings": 32768, "tie_word_embeddings": False,
            "bos_token_id": None, "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
            "rope_parameters": {
                "rope_type": "default", "rope_theta": 5e6,
                "mrope_section": [6, 5, 5], "mrope_interleaved": True,
            },
        },
        vision_config={
            "depth": 27, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2,
            "patch_size": 16, "spatial_merge_size": 2, "temporal_patch_size": 2,
            "out_hidden_size": hidden, "num_position_embeddings": 2304,
            "deepstack_visual_indexes": [8, 16, 24],
        },
        image_token_id=ids("<|image_pad|>"), video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"), vision_end_token_id=ids("<|vision_end|>"),
        tie_word_embeddings=False,
    )  # fmt: skip


def freeze_vision(model: Qwen3VLForConditionalGeneration) -> int:
    """Freeze the vision tower with its projector (the mergers are inside it); how many weights."""
    frozen = 0
    for weights in model.model.visual.parameters():
        weights.requires_grad = False
        frozen += weights.numel()
    return frozen


def export(
    model: Any,  # noqa: ANN401 - wrapped by whatever trained it
    processor: PictureProcessor,
    folder: Path,
    *,
    half: bool,
) -> None:
    """Write a folder that the engines load; ``half`` stores float32 weights as float16."""
    tokenizer = processor.tokenizer
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    state = model.state_dict()
    if half:
        state = {name: weights.half() for name, weights in state.items()}
        model.config.dtype = torch.float16
    model.save_pretrained(folder, state_dict=state)
    processor.save_pretrained(folder)
