"""FLUX.2 klein with one thing more: a batch of edits whose source pictures differ.

The stock pipeline shows every sample of a batch all reference images. Here image ``i`` of the
call belongs to sample ``i // references_per_sample`` alone. With one random generator per
sample the result equals the one-by-one result up to rounding (latents in float32:
2e-6 measured, 1e-5 tested). Rounding can still move a pixel by one level of 255: who needs the
same bytes under any load sets ``GENERATOR_MAX_BATCH=1``.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, cast

import torch
from diffusers import Flux2KleinPipeline


class PairedKleinPipeline(Flux2KleinPipeline):
    """``Flux2KleinPipeline`` that pairs references with samples.

    Set ``references_per_sample`` before a call; 0 gives the stock behaviour.
    """

    references_per_sample: int = 0

    def prepare_image_latents(
        self,
        images: list[torch.Tensor],
        batch_size: int,
        generator: torch.Generator,
        device: torch.device,
        dtype: torch.dtype,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Latents and position ids of the references, each for its own sample.

        Args:
            images: (1, 3, height, width) each, sample after sample; those at the same place
                of their samples have the same size.
            batch_size: number of samples.
            generator: not used, encoding takes the mode of the distribution.
            device: of the result.
            dtype: of the encoder.

        Returns:
            (batch_size, tokens, channels) latents and (batch_size, tokens, 4) ids.
        """
        count = self.references_per_sample
        if count == 0 or len(images) != count * batch_size:
            return super().prepare_image_latents(images, batch_size, generator, device, dtype)
        places = [torch.cat(list(islice(images, place, None, count))) for place in range(count)]
        encoded = [self._encoded(place, generator, dtype) for place in places]
        tokens = [cast("torch.Tensor", self._pack_latents(latents)) for latents in encoded]
        ids: Any = self._prepare_image_ids([latents[:1] for latents in encoded])
        return torch.cat(tokens, dim=1).to(device), ids.repeat(batch_size, 1, 1).to(device)

    def _encoded(
        self,
        images: torch.Tensor,
        generator: torch.Generator,
        dtype: torch.dtype,
    ) -> torch.Tensor:
        moved = images.to(device=self.vae.device, dtype=dtype)
        return cast("torch.Tensor", self._encode_vae_image(image=moved, generator=generator))
