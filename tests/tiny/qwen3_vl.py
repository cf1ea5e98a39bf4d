"""A random Qwen3-VL of about a million parameters, saved as vLLM and transformers load it."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import Qwen2Tokenizer, Qwen3VLConfig, Qwen3VLForConditionalGeneration

_SPECIAL = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>",
    "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>",
]  # fmt: skip
_CHAT_TEMPLATE = """\
{%- for message in messages -%}{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['content'] is string -%}{{- message['content'] -}}
{%- else -%}{%- for part in message['content'] -%}
{%- if 'text' in part -%}{{- part['text'] -}}
{%- else -%}{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}{%- endif -%}
{%- endfor -%}{%- endif -%}{{- '<|im_end|>\\n' -}}{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"""
_PATCH_PX = 16
_HIDDEN = 128


def save_tiny_qwen3_vl(folder: Path) -> Path:
    """Write model, tokenizer and processor files; the same weights every time."""
    torch.manual_seed(0)
    tokenizer = _tokenizer()
    model = Qwen3VLForConditionalGeneration(_config(tokenizer)).float()
    with torch.no_grad():
        for weights in model.parameters():
            # Fresh weights hardly react to their input; larger ones make every picture count.
            weights.mul_(4.0 if weights.dim() > 1 else 1.0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(_CHAT_TEMPLATE)
    for name, kind in (
        ("preprocessor_config.json", {"image_processor_type": "Qwen2VLImageProcessor"}),
        ("video_preprocessor_config.json", {"video_processor_type": "Qwen3VLVideoProcessor"}),
    ):
        (folder / name).write_text(json.dumps(kind | _pictures()))
    return folder


def _pictures() -> dict[str, object]:
    return {
        "processor_class": "Qwen3VLProcessor",
        "size": {"shortest_edge": 64 * 64, "longest_edge": 128 * 128},
        "patch_size": _PATCH_PX,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
    }


def _tokenizer() -> Qwen2Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: number for number, symbol in enumerate(alphabet)}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(_SPECIAL)
    return Qwen2Tokenizer(
        tokenizer_object=tokenizer,
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
        chat_template=_CHAT_TEMPLATE,
    )


def _config(tokenizer: Qwen2Tokenizer) -> Qwen3VLConfig:
    number = {name: tokenizer.get_vocab()[name] for name in _SPECIAL}
    return Qwen3VLConfig(
        text_config={
            "vocab_size": 512, "hidden_size": _HIDDEN, "intermediate_size": 256,
            "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
            "head_dim": 32, "max_position_embeddings": 8192, "tie_word_embeddings": True,
            "eos_token_id": number["<|im_end|>"], "pad_token_id": number["<|endoftext|>"],
            "rope_parameters": {
                "rope_type": "default", "rope_theta": 10000.0,
                "mrope_section": [6, 5, 5], "mrope_interleaved": True,
            },
        },
        vision_config={
            "depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 4,
            "patch_size": _PATCH_PX, "spatial_merge_size": 2, "temporal_patch_size": 2,
            "out_hidden_size": _HIDDEN, "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        image_token_id=number["<|image_pad|>"], video_token_id=number["<|video_pad|>"],
        vision_start_token_id=number["<|vision_start|>"],
        vision_end_token_id=number["<|vision_end|>"],
        tie_word_embeddings=True,
    )  # fmt: skip
