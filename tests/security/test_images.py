"""Strange images, uploaded to the real gateway: made harmless, or refused with what to do."""

from __future__ import annotations

import io
import time
from collections.abc import Generator

import httpx
import pytest
from PIL import Image

from services.gateway.pictures import PictureLimits, admit_picture
from shared.errors import RequestError
from tests.security.gateway import Gateway
from tests.security.strange_images import (
    SECRET,
    animated,
    corners,
    encoded,
    mutations,
    png_of,
    polyglots,
    profile_bomb,
    scan_bomb,
    sixteen_bit_rgb,
    swapped_profile,
    text_bomb,
    with_orientation,
)

SOON_S = 20.0
"""On a loaded machine; what is refused takes milliseconds."""
CORNERS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Generator[httpx.Client]:
    with gateway.client(gateway.key("ten_images")) as client:
        yield client


def kept(client: httpx.Client, data: bytes, *, kind: str = "image/png") -> Image.Image:
    """What is kept of an upload; it is in the one form that anything is kept in."""
    answer = client.post("/v1/uploads", content=data, headers={"Content-Type": kind})
    assert answer.status_code == 201, answer.text
    view = answer.json()
    file = client.get(view["url"])
    assert file.headers["content-type"] == "image/png"
    assert file.headers["x-content-type-options"] == "nosniff"
    assert SECRET not in file.content
    assert b"<script>" not in file.content
    image = Image.open(io.BytesIO(file.content))
    image.load()
    assert (image.format, image.mode, image.info) == ("PNG", "RGB", {})
    assert (view["width"], view["height"]) == image.size
    return image


def refused(client: httpx.Client, data: bytes, status: int, words: str) -> None:
    started = time.monotonic()
    answer = client.post("/v1/uploads", content=data)
    assert time.monotonic() - started < SOON_S
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


def seen(image: Image.Image) -> list[tuple[int, ...]]:
    """The colours in the four corners, rounded to what was meant."""
    width, height = image.size
    places = [(5, 5), (width - 6, 5), (5, height - 6), (width - 6, height - 6)]
    pixels = [image.getpixel(place) for place in places]
    return [tuple(255 if v > 127 else 0 for v in p) for p in pixels if isinstance(p, tuple)]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_a_picture_is_turned_as_its_exif_says(client: httpx.Client, kind: str, turn: int) -> None:
    image = kept(client, with_orientation(turn, kind))
    assert (image.size, seen(image)) == ((60, 40), CORNERS)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK", "L", "LA", "1", "I;16"])
def test_every_kind_of_pixel_becomes_8_bit_rgb(client: httpx.Client, mode: str) -> None:
    flat = Image.new("RGB", (32, 32), "white")
    image = Image.new("I;16", (32, 32), 0xFFFF) if mode == "I;16" else flat.convert(mode)
    stored = kept(client, encoded(image, "JPEG" if mode == "CMYK" else "PNG"))
    assert stored.getpixel((9, 9)) == (255, 255, 255)


def test_16_bits_a_channel_are_scaled(client: httpx.Client) -> None:
    pixel = kept(client, sixteen_bit_rgb()).getpixel((9, 9))
    assert pixel in {(128, 128, 128), (129, 129, 129)}


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_are_brought_to_srgb_by_the_picture_s_profile(
    client: httpx.Client, mode: str
) -> None:
    image = Image.new("RGB", (32, 32), "red").convert(mode)
    red, _, blue = rgb(kept(client, encoded(image, "PNG", icc_profile=swapped_profile())))
    assert blue > 150 > red


@pytest.mark.parametrize("profile", [b"rubbish", b"\0" * 128], ids=["rubbish", "zeros"])
def test_an_unreadable_profile_is_ignored(client: httpx.Client, profile: bytes) -> None:
    image = kept(client, encoded(corners(), "PNG", icc_profile=profile))
    assert seen(image) == CORNERS


def test_a_telephone_s_jpeg_with_more_pictures_behind_the_first_is_taken(
    client: httpx.Client,
) -> None:
    more = encoded(corners(), "MPO", save_all=True, append_images=[corners(8, 8)], quality=95)
    image = kept(client, more, kind="image/jpeg")
    assert (image.size, seen(image)) == ((60, 40), CORNERS)


@pytest.mark.parametrize("each", list(polyglots()), ids=lambda each: each[0])
def test_of_a_file_that_is_two_things_the_picture_alone_is_kept(
    client: httpx.Client, each: tuple[str, bytes]
) -> None:
    image = kept(client, each[1], kind="text/html")
    assert seen(image) == CORNERS


def test_a_large_picture_that_is_packed_small_is_taken_within_the_limits(
    client: httpx.Client,
) -> None:
    packed = png_of(6000, 6000)
    assert len(packed) < 200_000
    assert kept(client, packed).size == (6000, 6000)


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (png_of(30_000, 30_000, rows=b"x"), 413, "smaller"),
        (png_of(20_000, 20_000, rows=b"x"), 413, "20000 x 20000"),
        (png_of(1, 100_000), 422, "1 x 100000"),
        (png_of(100_000, 1), 422, "100000 x 1"),
        (png_of(16_000, 100), 422, "part of it"),
        (png_of(4, 4), 422, "each side"),
        (png_of(0, 64, rows=b"x"), 415, "PNG, JPEG and WebP"),
        (text_bomb(), 422, "damaged"),
        (scan_bomb(), 422, "scans"),
        (animated("PNG"), 422, "one still picture"),
        (animated("WEBP"), 422, "one still picture"),
        (animated("GIF"), 415, "PNG, JPEG and WebP"),
        (encoded(corners(), "BMP"), 415, "PNG, JPEG and WebP"),
        (encoded(corners(), "TIFF"), 415, "PNG, JPEG and WebP"),
        (encoded(corners(), "ICO"), 415, "PNG, JPEG and WebP"),
        (encoded(corners(), "PPM"), 415, "PNG, JPEG and WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>", 415, "PNG, JPEG and WebP"),
        (b"%PDF-1.7", 415, "PNG, JPEG and WebP"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", 415, "PNG, JPEG and WebP"),
        (b"\0\0\0\x20ftypavif", 415, "PNG, JPEG and WebP"),
        (b"just words", 415, "PNG, JPEG and WebP"),
        (b"", 422, "empty"),
        (b"\0" * 1000, 415, "PNG, JPEG and WebP"),
        (b"\x89PNG\r\n\x1a\n" + bytes(30 * 1024 * 1024), 413, "at most 25165824 bytes"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50 * 1024 * 1024), 413, "at most 50331648 bytes"),
    ],
    ids=[
        "30000x30000", "20000x20000", "1x100000", "100000x1", "long", "tiny", "zero-wide",
        "text-bomb", "scan-bomb", "apng", "animated-webp", "gif", "bmp", "tiff", "ico", "ppm",
        "svg", "pdf", "eps", "avif", "words", "empty", "zeros", "30-MiB", "50-MiB",
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_with_what_to_do(
    client: httpx.Client, data: bytes, status: int, words: str
) -> None:
    refused(client, data, status, words)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_a_cut_off_picture_is_refused(client: httpx.Client, kind: str, part: float) -> None:
    data = encoded(Image.effect_noise((256, 256), 60).convert("RGB"), kind)
    refused(client, data[: int(len(data) * part)], 422, "anew")


def test_a_profile_that_unpacks_to_200_mb_is_not_unpacked(client: httpx.Client) -> None:
    started = time.monotonic()
    answer = client.post("/v1/uploads", content=profile_bomb())
    assert answer.status_code in {201, 422}, answer.text
    assert time.monotonic() - started < SOON_S


def test_no_damage_is_a_defect_of_ours(client: httpx.Client) -> None:
    answers = [client.post("/v1/uploads", content=data) for data in mutations(80)]
    assert {answer.status_code for answer in answers} <= {201, 413, 415, 422}
    assert any(answer.status_code == 422 for answer in answers)


def test_no_damage_at_all_is_a_defect_of_ours() -> None:
    outcomes = {"taken": 0, "refused": 0}
    give_up_at = time.monotonic() + SOON_S
    for data in mutations(3000):
        try:
            admit_picture(data, PictureLimits(max_pixels=1_000_000))
            outcomes["taken"] += 1
        except RequestError:
            outcomes["refused"] += 1
        if time.monotonic() > give_up_at:
            break
    assert min(outcomes.values()) > 20, outcomes


def test_a_form_s_word_on_kind_and_name_counts_for_nothing(client: httpx.Client) -> None:
    name = "../../etc/passwd\x00.php"
    good = client.post("/v1/uploads", files={"file": (name, encoded(corners(), "PNG"), "x/y")})
    bad = client.post("/v1/uploads", files={"file": ("a.png", b"<svg/>", "image/png")})
    assert (good.status_code, bad.status_code) == (201, 415)
    assert good.json()["id"].startswith("up_")


def rgb(image: Image.Image) -> tuple[int, int, int]:
    pixel = image.getpixel((9, 9))
    assert isinstance(pixel, tuple)
    red, green, blue = pixel
    return int(red), int(green), int(blue)
