"""The committed generator folders load by themselves and draw what they are told."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.trainer.sketchbook.generator.drawing import PipelineArtist
from services.trainer.sketchbook.generator.model import TEXT_LAYERS, TEXT_LENGTH
from services.trainer.sketchbook.grader import decode
from services.trainer.sketchbook.language import Style
from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.samples import GeneratorSample
from services.trainer.sketchbook.world import Background, Item, Place, Scene

MODELS = Path(__file__).parents[5] / "models" / "sketchbook"
MEADOW = Scene.of(Background("meadow"), {Place(3, 1): Item("house", colour="red")})
WITH_SUN = MEADOW.with_item(Place(0, 2), Item("sun"))


@pytest.fixture(scope="module")
def artist() -> PipelineArtist:
    return PipelineArtist(MODELS / "generator")


def test_a_described_scene_is_drawn_exactly(artist: PipelineArtist) -> None:
    prompt = "a meadow by day with a red house in the bottom row, left"
    picture = artist.draw(GeneratorSample(None, prompt, MEADOW, Style.PRECISE), seed=1)
    assert decode(picture).scene == MEADOW


def test_an_edit_changes_what_it_names_and_nothing_else(artist: PipelineArtist) -> None:
    prompt = "add a sun in the top row, right"
    picture = artist.draw(GeneratorSample(MEADOW, prompt, WITH_SUN, Style.PRECISE), seed=2)
    assert decode(picture).scene == WITH_SUN


def test_the_same_seed_draws_the_same_picture(artist: PipelineArtist) -> None:
    sample = GeneratorSample(MEADOW, "add a sun in the top row, right", WITH_SUN, Style.PRECISE)
    assert np.array_equal(artist.draw(sample, seed=3), artist.draw(sample, seed=3))


def test_the_autoencoder_alone_keeps_a_picture_readable(artist: PipelineArtist) -> None:
    pipeline = artist.pipeline
    pixels = pipeline.image_processor.preprocess(Image.fromarray(render(WITH_SUN)))
    decoded = pipeline.vae.decode(pipeline.vae.encode(pixels).latent_dist.mode()).sample
    picture = pipeline.image_processor.postprocess(decoded.detach(), output_type="pil")[0]
    assert decode(np.asarray(picture)).scene == WITH_SUN


def test_the_weaker_generator_loads_and_draws_a_whole_picture() -> None:
    weak = PipelineArtist(MODELS / "generator-weak")
    picture = weak.draw(
        GeneratorSample(None, "a meadow", Scene(Background("meadow")), Style.PRECISE), seed=1
    )
    assert picture.shape == (128, 128, 3)
    assert picture.std() > 5


@pytest.mark.parametrize("name", ["generator", "generator-weak"])
def test_a_folder_says_how_to_call_it(name: str) -> None:
    notes = json.loads((MODELS / name / "interleave.json").read_text())
    assert notes["name"] == name.replace("generator", "sketchbook")
    assert (notes["default_steps"], notes["default_guidance"]) == (4, 1.0)
    assert (notes["default_width_px"], notes["default_height_px"]) == (128, 128)
    assert notes["call"] == {
        "max_sequence_length": TEXT_LENGTH,
        "text_encoder_out_layers": list(TEXT_LAYERS),
    }
