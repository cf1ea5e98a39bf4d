"""A random ``Flux2KleinPipeline`` of some 100 k parameters, saved as a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLFlux2,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
)
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import Qwen2Tokenizer, Qwen3Config, Qwen3ForCausalLM

CHAT_TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
_HIDDEN = 32
NOTES: dict[str, Any] = {
    "name": "tiny-klein",
    "version": "0",
    "call": {"max_sequence_length": 16, "text_encoder_out_layers": [1, 2, 3]},
    "default_width_px": 64,
    "default_height_px": 64,
    "min_side_px": 32,
    "max_side_px": 256,
    "default_steps": 2,
    "max_references": 2,
}


def save_tiny_klein(folder: Path) -> Path:
    """Write the pipeline and its ``interleave.json``; the same weights every time."""
    torch.manual_seed(0)
    pipeline = Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=_vae(),
        text_encoder=_text_encoder(),
        tokenizer=_tokenizer(),
        transformer=_transformer(),
        is_distilled=True,
    )
    pipeline.save_pretrained(folder)
    (folder / "interleave.json").write_text(json.dumps(NOTES))
    return folder


def _vae() -> AutoencoderKLFlux2:
    vae = AutoencoderKLFlux2(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=64,
        mid_block_add_attention=False,
    )
    assert vae.bn.running_var is not None
    vae.bn.running_var.fill_(0.05)
    return vae


def _text_encoder() -> Qwen3ForCausalLM:
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=300,
            hidden_size=_HIDDEN,
            intermediate_size=64,
            num_hidden_layers=3,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=16,
            max_position_embeddings=64,
        )
    )


def _transformer() -> Flux2Transformer2DModel:
    return Flux2Transformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * _HIDDEN,
        timestep_guidance_channels=32,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )


def _tokenizer() -> Qwen2Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: number for number, symbol in enumerate(alphabet)}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    return Qwen2Tokenizer(
        tokenizer_object=tokenizer,
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
        chat_template=CHAT_TEMPLATE,
    )
