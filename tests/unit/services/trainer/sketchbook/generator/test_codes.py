"""Numbers for scenes, and the linear code of pictures."""

import numpy as np
import pytest
import torch

from services.trainer.sketchbook.generator.codes import (
    ITEMS,
    LATENT_CHANNELS,
    LinearCode,
    fit_code,
    numbered_scene,
    scaled,
    scene_numbers,
)
from services.trainer.sketchbook.generator.vae import (
    encode_pictures,
    new_vae,
    packed,
    unpacked,
    write_encoder,
)
from services.trainer.sketchbook.world import BACKGROUNDS, Item, Place, Scene


@pytest.fixture(scope="module")
def code() -> LinearCode:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (3, 4, 20, 8, 8, 3), dtype=np.uint8)
    return fit_code(coarse.repeat(4, axis=3).repeat(4, axis=4), samples=400, seed=0)


def test_a_scene_survives_being_turned_into_numbers() -> None:
    scene = Scene.of(
        BACKGROUNDS[7], {Place(0, 3): ITEMS[-1] or Item("cow"), Place(2, 1): Item("cow")}
    )
    assert numbered_scene(scene_numbers(scene)) == scene


def test_an_empty_place_is_number_zero() -> None:
    assert scene_numbers(Scene(BACKGROUNDS[2])).tolist() == [2] + [0] * 16


def test_latents_of_the_fitted_tiles_have_unit_spread(code: LinearCode) -> None:
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 255, (200, 8, 8, 3), dtype=np.uint8).repeat(4, 1).repeat(4, 2)
    latents = code.encode(scaled(coarse))
    assert latents.shape == (200, 2, 2, LATENT_CHANNELS)
    assert 0.3 < latents.std() < 2.0


def test_the_written_encoder_computes_the_linear_code(code: LinearCode) -> None:
    vae = new_vae().eval()
    write_encoder(vae, code)
    pixels = scaled(np.random.default_rng(2).integers(0, 255, (2, 64, 96, 3), dtype=np.uint8))
    encoded = vae.encode(torch.from_numpy(pixels).permute(0, 3, 1, 2)).latent_dist
    latents = encoded.mode().detach().permute(0, 2, 3, 1).numpy()
    assert np.abs(latents - code.encode(pixels)).max() < 1e-3
    assert float(encoded.std.detach().max()) < 1e-5


def test_a_place_s_latents_do_not_depend_on_its_neighbours(code: LinearCode) -> None:
    vae = new_vae().eval()
    write_encoder(vae, code)
    picture = torch.rand(1, 3, 64, 64) * 2 - 1
    other = picture.clone()
    other[:, :, :32, :32] = 0.5
    first, second = encode_pictures(vae, picture), encode_pictures(vae, other)
    changed = (first - second).abs().amax(dim=1)[0]
    assert changed[0, 0] > 0.01
    assert float(changed.flatten()[1:].max()) < 1e-4


def test_packing_is_undone_by_unpacking() -> None:
    latents = torch.randn(2, 32, 8, 8)
    assert torch.equal(unpacked(packed(latents)), latents)
