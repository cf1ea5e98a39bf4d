"""The parts of the generator and the pipeline folder they make up.

Here live the sizes of the parts, the forward pass in the pipeline's own conventions (position
numbers, text layers, time of the reference) and the sampler that repeats its four steps on
latents. Not here: training (``train``) and measuring (``evaluate``).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, Flux2Transformer2DModel
from torch import Tensor, nn
from transformers import Qwen3Config, Qwen3ForCausalLM

from services.trainer.sketchbook.generator.codes import LATENT_CHANNELS
from services.trainer.sketchbook.world import GRID, PICTURE_PX

TOKEN_CHANNELS = 4 * LATENT_CHANNELS
TEXT_LENGTH = 84
"""Tokens every prompt is padded to; the longest description of six things fits."""
TEXT_LAYERS = (1, 2, 3)
STEPS = 4
SHIFT = 3.0
_REFERENCE_TIME = 10
"""The time coordinate the pipeline gives its first reference picture."""

CALL_ARGUMENTS = {
    "max_sequence_length": TEXT_LENGTH,
    "text_encoder_out_layers": list(TEXT_LAYERS),
    "num_inference_steps": STEPS,
    "guidance_scale": 1.0,
    "width": PICTURE_PX,
    "height": PICTURE_PX,
}
"""What a caller should pass to the pipeline."""
PIPELINE_ONLY = ("max_sequence_length", "text_encoder_out_layers")
"""Those of them that only this pipeline knows."""


@dataclass(frozen=True, slots=True)
class Size:
    """The size of the transformer and the text encoder."""

    heads: int = 4
    double_layers: int = 2
    single_layers: int = 4
    text_width: int = 128


class Painter(nn.Module):
    """The two parts that are trained together: text encoder and transformer."""

    def __init__(self, size: Size, *, vocabulary: int, pad_token: int) -> None:
        """Build both with random weights."""
        super().__init__()
        self.pad_token = pad_token
        self.text_encoder = _new_text_encoder(size, vocabulary=vocabulary, pad_token=pad_token)
        self.transformer = Flux2Transformer2DModel(
            in_channels=TOKEN_CHANNELS,
            num_layers=size.double_layers,
            num_single_layers=size.single_layers,
            attention_head_dim=32,
            num_attention_heads=size.heads,
            joint_attention_dim=len(TEXT_LAYERS) * size.text_width,
            axes_dims_rope=(8, 8, 8, 8),
            guidance_embeds=False,
        )

    def read(self, tokens: Tensor) -> Tensor:
        """Prompt embeddings as the pipeline stacks them: (n, length, layers x width)."""
        output = self.text_encoder.model(
            input_ids=tokens,
            attention_mask=(tokens != self.pad_token).long(),
            output_hidden_states=True,
            use_cache=False,
        )
        return torch.cat([output.hidden_states[layer] for layer in TEXT_LAYERS], dim=-1)

    def forward(
        self, noisy: Tensor, sigma: Tensor, text: Tensor, *, reference: Tensor | None
    ) -> Tensor:
        """The velocity of noisy picture tokens (n, 16, 128) at noise levels (n,)."""
        places = _place_ids(0)
        tokens = noisy
        if reference is not None:
            tokens = torch.cat([noisy, reference], dim=1)
            places = torch.cat([places, _place_ids(_REFERENCE_TIME)])
        velocity = self.transformer(
            hidden_states=tokens,
            timestep=sigma,
            encoder_hidden_states=text,
            txt_ids=_text_ids(text.shape[1]).to(noisy.device),
            img_ids=places.to(noisy.device),
            return_dict=False,
        )[0]
        return velocity[:, : noisy.shape[1]]

    @torch.no_grad()
    def draw(self, tokens: Tensor, noise: Tensor, *, reference: Tensor | None) -> Tensor:
        """Latents of finished pictures, by the steps the pipeline takes."""
        text = self.read(tokens)
        latents = noise
        sigmas = [*(shifted(1 - step / STEPS) for step in range(STEPS)), 0.0]
        for now, after in pairwise(sigmas):
            level = torch.full((len(noise),), now, device=noise.device)
            latents = latents + (after - now) * self(latents, level, text, reference=reference)
        return latents


def shifted(sigma: float) -> float:
    """The noise level after the scheduler's shift."""
    return SHIFT * sigma / (1 + (SHIFT - 1) * sigma)


def new_scheduler() -> FlowMatchEulerDiscreteScheduler:
    """The scheduler with the shift the model is trained at."""
    return FlowMatchEulerDiscreteScheduler(shift=SHIFT, use_dynamic_shifting=False)


def _new_text_encoder(size: Size, *, vocabulary: int, pad_token: int) -> Qwen3ForCausalLM:
    config = Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=size.text_width,
        intermediate_size=2 * size.text_width,
        num_hidden_layers=len(TEXT_LAYERS),
        num_attention_heads=size.text_width // 32,
        num_key_value_heads=size.text_width // 32,
        head_dim=32,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        pad_token_id=pad_token,
        eos_token_id=pad_token,
        bos_token_id=None,
    )
    return Qwen3ForCausalLM(config)


def _place_ids(time: int) -> Tensor:
    side = torch.arange(GRID)
    return torch.cartesian_prod(torch.tensor([time]), side, side, torch.arange(1))


def _text_ids(length: int) -> Tensor:
    zero = torch.arange(1)
    return torch.cartesian_prod(zero, zero, zero, torch.arange(length))
