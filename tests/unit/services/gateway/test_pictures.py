"""Which images are admitted, and in which form they are kept."""

from __future__ import annotations

import io
import struct
import time
import zlib

import pytest
from PIL import Image

from services.gateway.pictures import PictureLimits, admit_picture
from shared.errors import InvalidRequestError, TooLargeError, UnsupportedMediaError
from tests.unit.services.gateway.gateway_app import png

LIMITS = PictureLimits()


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its data does not have."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def gradient(mode: str = "RGB") -> Image.Image:
    return Image.linear_gradient("L").resize((40, 24)).convert(mode)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_three_kinds_become_rgb_png(kind: str) -> None:
    admitted = admit_picture(encoded(gradient(), kind), LIMITS)
    image = opened(admitted.png)
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (40, 24))
    assert (admitted.width_px, admitted.height_px) == (40, 24)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_other_kinds_are_refused_by_content(kind: str) -> None:
    with pytest.raises(UnsupportedMediaError):
        admit_picture(encoded(gradient("L"), kind), LIMITS)


def test_what_is_no_image_is_refused() -> None:
    for data in (b"", b"<svg/>", b"\x89PNG", b"%PDF-1.7"):
        with pytest.raises((UnsupportedMediaError, InvalidRequestError)):
            admit_picture(data, LIMITS)


def test_a_200_megapixel_claim_is_refused_without_decoding() -> None:
    started = time.perf_counter()
    with pytest.raises(TooLargeError, match="20000 x 10000"):
        admit_picture(png_claiming(20_000, 10_000), LIMITS)
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize("size", [(1, 10_000), (30_000, 10), (400, 10), (4, 4)])
def test_extreme_shapes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InvalidRequestError):
        admit_picture(png_claiming(*size), LIMITS)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_truncated_image_is_refused(kind: str) -> None:
    data = encoded(Image.effect_noise((64, 64), 50).convert("RGB"), kind)
    with pytest.raises(InvalidRequestError, match="damaged"):
        admit_picture(data[: len(data) // 2], LIMITS)


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(TooLargeError):
        admit_picture(png(), PictureLimits(max_bytes=10))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_are_refused(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    with pytest.raises(InvalidRequestError, match="Animated"):
        admit_picture(data, LIMITS)


def test_exif_rotation_is_applied_and_metadata_stripped() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    exif[0x010E] = "secret place"
    admitted = admit_picture(encoded(gradient(), "JPEG", exif=exif), LIMITS)
    image = opened(admitted.png)
    assert image.size == (24, 40)
    assert not image.getexif()
    assert b"secret" not in admitted.png


def test_transparent_parts_become_white() -> None:
    image = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
    assert opened(admit_picture(encoded(image, "PNG"), LIMITS).png).getpixel((3, 3)) == (
        255, 255, 255,
    )  # fmt: skip


def test_16_bit_grey_is_scaled_not_clipped() -> None:
    image = Image.new("I;16", (16, 16), 0x8000)
    pixel = opened(admit_picture(encoded(image, "PNG"), LIMITS).png).getpixel((3, 3))
    assert pixel == (128, 128, 128)


def test_cmyk_becomes_rgb() -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    pixel = opened(admit_picture(encoded(image, "JPEG"), LIMITS).png).getpixel((3, 3))
    assert isinstance(pixel, tuple)
    red, green, blue = pixel
    assert (red > 200, green < 60, blue < 60) == (True, True, True)


def test_the_same_picture_gives_the_same_bytes() -> None:
    data = encoded(gradient(), "JPEG")
    assert admit_picture(data, LIMITS) == admit_picture(data, LIMITS)


def test_a_jpeg_of_very_many_scans_is_refused_before_it_is_decoded() -> None:
    whole = encoded(Image.new("L", (2048, 2048), 99), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    started = time.perf_counter()
    with pytest.raises(InvalidRequestError, match="scans"):
        admit_picture(whole[:last] + whole[last:-2] * 20_000 + whole[-2:], LIMITS)
    assert time.perf_counter() - started < 5
