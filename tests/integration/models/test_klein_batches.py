"""A batch of edits with different sources against the same edits one by one, in float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from services.generator.backends.diffusers_pipeline import DiffusersBackend, draw
from services.generator.backends.pipeline_loading import LoadedPipeline, PipelineOptions, load
from services.generator.model_thread import WorkStoppedError
from services.generator.ports import DrawRequest
from shared.errors import InvalidRequestError, ServiceUnavailableError
from tests.tiny.klein import save_tiny_klein

TOLERANCE = 1e-5
"""Of the latents, whose standard deviation is about 0.3; 2e-6 was measured."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_klein(tmp_path_factory.mktemp("klein"))


@pytest.fixture(scope="module")
def options(folder: Path) -> PipelineOptions:
    return PipelineOptions(model=str(folder), device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def loaded(options: PipelineOptions) -> LoadedPipeline:
    return load(options)


def _pictures(count: int, side_px: int = 64) -> list[Image.Image]:
    noise = np.random.default_rng(3)
    size = (side_px, side_px, 3)
    return [Image.fromarray(noise.integers(0, 256, size, dtype=np.uint8)) for _ in range(count)]


def _latents(
    loaded: LoadedPipeline, requests: list[dict[str, Any]], per_sample: int
) -> torch.Tensor:
    loaded.pipeline.references_per_sample = per_sample
    images = [image for request in requests for image in request["images"]]
    return loaded.pipeline(
        prompt=[request["prompt"] for request in requests],
        image=images or None,
        width=64,
        height=64,
        num_inference_steps=4,
        guidance_scale=1.0,
        generator=[torch.Generator().manual_seed(request["seed"]) for request in requests],
        output_type="latent",
        **{"max_sequence_length": 16, "text_encoder_out_layers": [1, 2, 3]},
    ).images


@pytest.mark.parametrize("references", [0, 1, 2])
def test_a_batch_equals_its_samples_one_by_one(loaded: LoadedPipeline, references: int) -> None:
    pictures = iter(_pictures(8))
    requests = [
        {"prompt": f"p{n}", "seed": n, "images": [next(pictures) for _ in range(references)]}
        for n in range(4)
    ]
    batch = _latents(loaded, requests, references)
    single = torch.cat([_latents(loaded, [request], references) for request in requests])
    assert float((batch - single).abs().max()) < TOLERANCE
    spread = (single - single.roll(1, dims=0)).abs().mean()
    assert float(spread) > 100 * TOLERANCE, "samples must differ for this to mean anything"


def test_pairing_equals_the_stock_pipeline_for_a_single_sample(loaded: LoadedPipeline) -> None:
    request = {"prompt": "p", "seed": 1, "images": _pictures(2)}
    paired, stock = _latents(loaded, [request], 2), _latents(loaded, [request], 0)
    assert torch.equal(paired, stock)


def test_pictures_of_a_batch_are_those_drawn_alone(
    loaded: LoadedPipeline, options: PipelineOptions
) -> None:
    requests = [
        DrawRequest(prompt=f"p{n}", references=(picture,), width_px=64, height_px=64, seed=n)
        for n, picture in enumerate(_pictures(3))
    ]
    together = draw(loaded, requests, options=options, stop=lambda: False)
    for request, drawn in zip(requests, together, strict=True):
        alone = draw(loaded, [request], options=options, stop=lambda: False)[0]
        difference = np.abs(np.asarray(drawn, dtype=int) - np.asarray(alone, dtype=int))
        assert difference.max() <= 1, "one level of 255, from rounding"


def test_unwanted_work_stops_after_the_step_at_hand(
    loaded: LoadedPipeline, options: PipelineOptions
) -> None:
    answers = iter([False, False, True])
    request = DrawRequest(prompt="p", references=(), width_px=64, height_px=64, seed=1, steps=50)
    with pytest.raises(WorkStoppedError):
        draw(loaded, [request], options=options, stop=lambda: next(answers))


async def test_a_folder_becomes_a_backend_that_describes_itself(folder: Path) -> None:
    backend = DiffusersBackend(PipelineOptions(model=str(folder), name="tiny", max_batch=3))
    with pytest.raises(ServiceUnavailableError):
        _ = backend.info
    await backend.open()
    assert (backend.info.name, backend.info.version) == ("tiny", "0")
    assert (backend.info.max_batch, backend.info.side_multiple_px) == (3, 4)
    edit = DrawRequest(prompt="p", references=(_pictures(1)[0],), width_px=64, height_px=64, seed=1)
    tiny = DrawRequest(
        prompt="p", references=(_pictures(1, 16)[0],), width_px=64, height_px=64, seed=1
    )
    assert backend.shape_of(edit) == backend.shape_of(edit)
    assert backend.shape_of(edit) != backend.shape_of(tiny)
    with pytest.raises(InvalidRequestError):
        await backend.draw([tiny])
    assert backend.alive
    await backend.close()


async def test_a_folder_that_is_no_pipeline_breaks_the_backend(tmp_path: Path) -> None:
    backend = DiffusersBackend(PipelineOptions(model=str(tmp_path)))
    with pytest.raises(ServiceUnavailableError):
        await backend.open()
    assert not backend.alive
    await backend.close()
