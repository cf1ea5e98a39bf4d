"""Reads a diffusers pipeline and describes it; drawing with it is ``diffusers_pipeline``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from diffusers import DiffusionPipeline

from services.generator.backends.flux2_klein import PairedKleinPipeline
from services.generator.backends.pipeline_call import CallTraits, traits_of
from services.generator.notes import PipelineNotes, read_notes
from shared.contracts.generation import GeneratorInfo


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """How to load and run a pipeline."""

    model: str
    """Folder or hub name."""
    name: str = ""
    """Public name of the generator; empty takes the model's."""
    device: str = "auto"
    dtype: str = "auto"
    torch_threads: int | None = None
    max_batch: int = 8
    seed_device: str = "cpu"
    """Where noise is made; on ``cpu`` a seed means the same on every machine."""
    offload: bool = False
    """Keep parts on the CPU until they are needed (slower, less GPU memory)."""


@dataclass(frozen=True, slots=True)
class LoadedPipeline:
    """A pipeline in memory and what it can do."""

    pipeline: Any
    traits: CallTraits
    notes: PipelineNotes
    info: GeneratorInfo


def load(options: PipelineOptions) -> LoadedPipeline:
    """Read a pipeline from safetensors files; no code from the model folder is run."""
    if options.torch_threads is not None:
        torch.set_num_threads(options.torch_threads)
    device = device_of(options.device)
    notes = read_notes(options.model)
    pipeline = _read(options.model, _dtype(options.dtype, device))
    if options.offload:
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.to(device)
    pipeline.set_progress_bar_config(disable=True)
    traits = _traits(pipeline, notes)
    info = _describe(options, notes, traits=traits, pipeline=pipeline)
    return LoadedPipeline(pipeline, traits, notes, info)


def _read(model: str, dtype: torch.dtype) -> Any:  # noqa: ANN401 - pipelines share no type
    config: Any = DiffusionPipeline.load_config(model)
    kind = PairedKleinPipeline if config["_class_name"] == "Flux2KleinPipeline" else None
    return (kind or DiffusionPipeline).from_pretrained(
        model, dtype=dtype, use_safetensors=True, trust_remote_code=False
    )


def _describe(
    options: PipelineOptions, notes: PipelineNotes, *, traits: CallTraits, pipeline: object
) -> GeneratorInfo:
    batches = traits.batches and (not traits.edits or pairs_references(pipeline))
    return GeneratorInfo(
        name=options.name or notes.name or options.model.rstrip("/").rsplit("/", 1)[-1],
        model=notes.name or options.model.rstrip("/").rsplit("/", 1)[-1],
        version=notes.version,
        edits=traits.edits,
        text_to_image=traits.text_to_image,
        max_references=traits.max_references,
        default_width_px=notes.default_width_px or traits.default_side_px,
        default_height_px=notes.default_height_px or traits.default_side_px,
        min_side_px=traits.min_side_px,
        max_side_px=traits.max_side_px,
        side_multiple_px=traits.side_multiple_px,
        default_steps=traits.default_steps,
        max_batch=min(options.max_batch, notes.max_batch or options.max_batch) if batches else 1,
    )


def _traits(pipeline: Any, notes: PipelineNotes) -> CallTraits:  # noqa: ANN401 - see _read
    traits = traits_of(_class_name(pipeline), pipeline.__call__, notes)
    factor = getattr(pipeline, "vae_scale_factor", None)
    if notes.side_multiple_px is None and isinstance(factor, int):
        # Sides are whole tokens, and 2 x 2 latents make a token in all of these.
        traits = replace(traits, side_multiple_px=2 * factor)
    return replace(traits, distilled=bool(getattr(pipeline.config, "is_distilled", False)))


def _class_name(pipeline: object) -> str:
    return "Flux2KleinPipeline" if pairs_references(pipeline) else type(pipeline).__name__


def pairs_references(pipeline: object) -> bool:
    """Whether edits of different sources may share a batch."""
    return isinstance(pipeline, PairedKleinPipeline)


def device_of(asked: str) -> str:
    """The device to use; ``auto`` takes a GPU if there is one."""
    if asked != "auto":
        return asked
    return "cuda" if torch.cuda.is_available() else "cpu"


def _dtype(asked: str, device: str) -> torch.dtype:
    if asked == "auto":
        return torch.bfloat16 if device.startswith("cuda") else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[asked]
