"""Writes the folder others load: a complete ``Flux2KleinPipeline``.

Not here: the training of its parts (``train``, ``decoder``) and the model card (``card``).
"""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import TypeVar

import torch
from diffusers import AutoencoderKLFlux2, Flux2KleinPipeline
from transformers import Qwen2Tokenizer

from services.trainer.sketchbook.generator.model import (
    CALL_ARGUMENTS,
    PIPELINE_ONLY,
    Painter,
    new_scheduler,
)
from services.trainer.sketchbook.world import PICTURE_PX

NOTES_FILE = "interleave.json"
NOTES = {
    "call": {name: CALL_ARGUMENTS[name] for name in PIPELINE_ONLY},
    "default_width_px": PICTURE_PX,
    "default_height_px": PICTURE_PX,
    "min_side_px": PICTURE_PX,
    "max_side_px": PICTURE_PX,
    "side_multiple_px": PICTURE_PX,
    "default_steps": CALL_ARGUMENTS["num_inference_steps"],
    "default_guidance": CALL_ARGUMENTS["guidance_scale"],
    "max_references": 1,
}
"""What the generator service must know beyond the pipeline's own files and the name."""
_Part = TypeVar("_Part", bound=torch.nn.Module)


def export(
    painter: Painter, *, vae: AutoencoderKLFlux2, tokenizer: Qwen2Tokenizer, folder: Path
) -> None:
    """Write the pipeline folder, whole or not at all.

    The transformer and the autoencoder are stored in bfloat16, which halves them; the text
    encoder, which loaders take at its stored precision, stays float32. The model is marked as
    distilled, so that a caller's guidance is ignored: it was trained without.
    """
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    pipeline = Flux2KleinPipeline(
        scheduler=new_scheduler(),
        vae=_stored(vae),
        text_encoder=painter.text_encoder.float().cpu(),
        tokenizer=tokenizer,
        transformer=_stored(painter.transformer),
        is_distilled=True,
    )
    pipeline.save_pretrained(draft)
    notes = {"name": folder.name.replace("generator", "sketchbook"), **NOTES}
    (draft / NOTES_FILE).write_text(json.dumps(notes, indent=2) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    draft.replace(folder)


def _stored(part: _Part) -> _Part:
    """A copy in bfloat16; the original stays as it is."""
    return copy.deepcopy(part).cpu().to(torch.bfloat16)
