"""The picture code as an ``AutoencoderKLFlux2``: its written encoder and its untrained decoder.

The encoder is not trained: its convolutions are set so that it computes the linear code of
``codes`` exactly. Not here: the training of the decoder (``decoder``).
"""

from __future__ import annotations

import numpy as np
import torch
from diffusers import AutoencoderKLFlux2
from torch import Tensor, nn

from services.trainer.sketchbook.generator.codes import (
    FINE_CHANNELS,
    LATENT_CHANNELS,
    MIDDLE_CHANNELS,
    Floats,
    LinearCode,
)

ENCODER_CHANNELS = (16, FINE_CHANNELS, MIDDLE_CHANNELS, 64, 96)
DECODER_CHANNELS = (8, 16, 48, 96, 128)
NORM_GROUPS = 2
_ANCHOR = 4096.0
"""Size of the constant channels that fix the variance the last normalisation divides by."""
_LOG_VARIANCE = -30.0
"""The least the class allows: the code has no noise."""


def new_vae() -> AutoencoderKLFlux2:
    """An autoencoder of the right shape with random weights."""
    return AutoencoderKLFlux2(
        down_block_types=("DownEncoderBlock2D",) * len(ENCODER_CHANNELS),
        up_block_types=("UpDecoderBlock2D",) * len(DECODER_CHANNELS),
        block_out_channels=ENCODER_CHANNELS,
        decoder_block_out_channels=DECODER_CHANNELS,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=NORM_GROUPS,
        sample_size=128,
        mid_block_add_attention=False,
    )


@torch.no_grad()
def write_encoder(vae: AutoencoderKLFlux2, code: LinearCode) -> None:
    """Set the encoder's weights so that it computes the linear code.

    Every residual block adds nothing, so it passes its input on (through its 1 x 1 shortcut where
    the width changes). The strided convolutions gather 2 x 2 squares and apply the code's maps.
    """
    encoder = vae.encoder
    for module in encoder.modules():
        if isinstance(module, nn.Conv2d):
            _clear(module)
    encoder.conv_in.weight[range(3), range(3), 1, 1] = 1.0
    for block in encoder.down_blocks[1:]:
        _pass_on(block.resnets[0])
    down = [block.downsamplers[0].conv for block in encoder.down_blocks[:-1]]
    _set_square_map(down[0], np.eye(12, dtype=np.float32))
    _set_square_map(down[1], np.eye(FINE_CHANNELS, dtype=np.float32))
    _set_square_map(down[2], code.middle, code.middle_bias)
    _set_square_map(down[3], code.latent, code.latent_bias)
    _write_output(vae)


def _clear(conv: nn.Conv2d) -> None:
    conv.weight.zero_()
    if conv.bias is not None:
        conv.bias.zero_()


def _pass_on(resnet: nn.Module) -> None:
    shortcut = getattr(resnet, "conv_shortcut", None)
    if isinstance(shortcut, nn.Conv2d):
        narrow = range(min(shortcut.in_channels, shortcut.out_channels))
        shortcut.weight[narrow, narrow, 0, 0] = 1.0


def _set_square_map(conv: nn.Conv2d, matrix: Floats, bias: Floats | None = None) -> None:
    """Let a strided convolution apply a map to the (dy, dx, channel) of 2 x 2 squares."""
    rows, columns = matrix.shape
    taps = torch.from_numpy(matrix).reshape(rows, 2, 2, columns // 4).permute(0, 3, 1, 2)
    conv.weight[:rows, : columns // 4, :2, :2] = taps
    if bias is not None and conv.bias is not None:
        conv.bias[:rows] = torch.from_numpy(bias)


def _write_output(vae: AutoencoderKLFlux2) -> None:
    """Carry the code through the last normalisation and activation unchanged.

    Each group of the normalisation holds some channels s, their negatives, and constants plus and
    minus ``_ANCHOR``: its mean is 0 and its variance a known constant, whatever the picture. And
    silu(s) - silu(-s) = s, so the output convolution gets the code back exactly.
    """
    width = ENCODER_CHANNELS[-1] // NORM_GROUPS
    signals = LATENT_CHANNELS // NORM_GROUPS
    shortcut = vae.encoder.down_blocks[-1].resnets[0].conv_shortcut
    _clear(shortcut)
    norm, out = vae.encoder.conv_norm_out, vae.encoder.conv_out
    anchors = width - 2 * signals
    norm.weight.fill_(_ANCHOR * (anchors / width) ** 0.5)
    norm.bias.zero_()
    for group in range(NORM_GROUPS):
        first = group * width
        for offset in range(signals):
            latent = group * signals + offset
            shortcut.weight[first + offset, latent] = 1.0
            shortcut.weight[first + signals + offset, latent] = -1.0
            out.weight[latent, first + offset, 1, 1] = 1.0
            out.weight[latent, first + signals + offset, 1, 1] = -1.0
        for offset in range(anchors):
            shortcut.bias[first + 2 * signals + offset] = _ANCHOR * (-1) ** offset
    out.bias[LATENT_CHANNELS:] = _LOG_VARIANCE
    _clear(vae.quant_conv)
    vae.quant_conv.weight[..., 0, 0] = torch.eye(2 * LATENT_CHANNELS)


@torch.no_grad()
def encode_pictures(vae: AutoencoderKLFlux2, pixels: Tensor) -> Tensor:
    """Packed latents, not yet normalised: (n, 3, h, w) in -1..1 to (n, 128, h / 32, w / 32)."""
    return packed(vae.encode(pixels).latent_dist.mode())


def packed(latents: Tensor) -> Tensor:
    """Gather 2 x 2 latents into channels, ordered (channel, dy, dx), as the pipeline does."""
    count, channels, height, width = latents.shape
    split = latents.view(count, channels, height // 2, 2, width // 2, 2).permute(0, 1, 3, 5, 2, 4)
    return split.reshape(count, channels * 4, height // 2, width // 2)


def unpacked(latents: Tensor) -> Tensor:
    """Undo ``packed``."""
    count, channels, height, width = latents.shape
    split = latents.reshape(count, channels // 4, 2, 2, height, width).permute(0, 1, 4, 2, 5, 3)
    return split.reshape(count, channels // 4, height * 2, width * 2)


def set_normalisation(vae: AutoencoderKLFlux2, codes: Tensor) -> None:
    """Fill the running statistics from packed latents of shape (n, 128)."""
    vae.bn.running_mean.copy_(codes.mean(0))
    vae.bn.running_var.copy_(codes.var(0))


def normalise(vae: AutoencoderKLFlux2, codes: Tensor) -> Tensor:
    """Packed latents (..., 128) on the scale the transformer works in."""
    spread = torch.sqrt(vae.bn.running_var + vae.config.batch_norm_eps)
    return (codes - vae.bn.running_mean) / spread


def denormalise(vae: AutoencoderKLFlux2, codes: Tensor) -> Tensor:
    """Undo ``normalise``."""
    spread = torch.sqrt(vae.bn.running_var + vae.config.batch_norm_eps)
    return codes * spread + vae.bn.running_mean


@torch.no_grad()
def round_weights(module: nn.Module) -> None:
    """Round weights to bfloat16, in which they are stored; what follows is fitted to that."""
    for weight in module.parameters():
        weight.copy_(weight.bfloat16().float())
