"""Reading pictures back: exact when clean, exact through noise, honest about what is unclear."""

from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFilter

from services.trainer.sketchbook.reading import PictureShapeError, decode
from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.world import (
    BACKGROUNDS,
    PLACES,
    Background,
    Item,
    Place,
    Scene,
    all_items,
)

ITEMS = tuple(all_items())


def scenes(count: int, *, seed: int) -> list[Scene]:
    rng = Random(seed)
    return [
        Scene.of(
            rng.choice(BACKGROUNDS),
            {place: rng.choice(ITEMS) for place in rng.sample(PLACES, rng.randint(0, 10))},
        )
        for _ in range(count)
    ]


def blurred_and_noisy(picture: npt.NDArray[np.uint8], *, seed: int) -> npt.NDArray[np.uint8]:
    soft = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(0.7)))
    noise = np.random.default_rng(seed).normal(0, 12, picture.shape)
    return np.clip(np.rint(soft + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("background", BACKGROUNDS, ids=lambda b: f"{b.setting}-{b.time}")
def test_every_item_reads_back_as_itself_on(background: Background) -> None:
    for start in range(0, len(ITEMS), len(PLACES)):
        scene = Scene.of(
            background, dict(zip(PLACES, ITEMS[start : start + len(PLACES)], strict=False))
        )
        reading = decode(render(scene))
        assert reading.scene == scene
        assert reading.legible
        assert reading.distances.max() == 0


def test_noise_and_blur_do_not_change_what_is_read() -> None:
    for seed, scene in enumerate(scenes(60, seed=1)):
        reading = decode(blurred_and_noisy(render(scene), seed=seed))
        assert reading.scene == scene
        assert reading.legible


def test_the_same_picture_is_read_the_same_way_twice() -> None:
    picture = blurred_and_noisy(render(scenes(1, seed=2)[0]), seed=3)
    first, second = decode(picture), decode(picture)
    assert first.scene == second.scene
    assert np.array_equal(first.distances, second.distances)
    assert np.array_equal(first.blends, second.blends)


def test_a_place_full_of_stripes_is_illegible_and_only_that_one() -> None:
    picture = render(Scene(Background("snow"), ((Place(3, 3), Item("cow")),)))
    picture[:32, 32:64:2] = 0
    reading = decode(picture)
    assert not reading.is_legible(Place(0, 1))
    assert reading.legible_places.sum() == len(PLACES) - 1


def test_a_half_faded_item_is_illegible() -> None:
    empty = Scene(Background("meadow"))
    full = empty.with_item(Place(2, 2), Item("flower", colour="pink", stage=1))
    between = (render(empty).astype(np.uint16) + render(full)) // 2
    reading = decode(between.astype(np.uint8))
    assert not reading.is_legible(Place(2, 2))


def test_a_mixture_of_two_colours_that_makes_no_third_is_illegible() -> None:
    place, background = Place(2, 0), Background("town")
    green, pink = (Scene(background, ((place, Item("car", colour=c)),)) for c in ("green", "pink"))
    between = (render(green).astype(np.uint16) + render(pink)) // 2
    assert not decode(between.astype(np.uint8)).is_legible(place)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((64, 64, 3), np.uint8),
        np.zeros((128, 128, 4), np.uint8),
        np.zeros((128, 128, 3), np.float32),
    ],
    ids=["small", "with alpha", "floats"],
)
def test_what_is_not_a_sketchbook_picture_is_refused(picture: npt.NDArray[np.uint8]) -> None:
    with pytest.raises(PictureShapeError, match="not a picture"):
        decode(picture)
