"""Images as nobody should send them, and as everybody's telephone does."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from random import Random

from PIL import Image, ImageCms, ImageDraw
from PIL.PngImagePlugin import PngInfo

SECRET = b"51.4778N 0.0015W"


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The image in one of Pillow's formats."""
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def corners(width: int = 60, height: int = 40) -> Image.Image:
    """Red, green, blue and yellow in the corners: tells how it was turned."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for n, color in enumerate(("red", "lime", "blue", "yellow")):
        left, top = n % 2 * width // 2, n // 2 * height // 2
        draw.rectangle((left, top, left + width // 2, top + height // 2), fill=color)
    return image


def with_orientation(turn: int, kind: str) -> bytes:
    """``corners`` stored so that a viewer that heeds EXIF shows them upright."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[turn]
    image = corners() if undo is None else corners().transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = turn
    exif[0x010E] = SECRET.decode()
    options = {"quality": 95} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    return encoded(image, kind, exif=exif, **options)


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG, whole."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, *chunks: bytes, rows: bytes | None = None) -> bytes:
    """A PNG by hand; without ``rows`` all of it is black, and quick to write."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes((3 * width + 1) * height), 9) if rows is None else rows
    parts = (chunk(b"IHDR", header), *chunks, chunk(b"IDAT", body), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def text_bomb() -> bytes:
    """A small PNG with 200 MB of text, packed."""
    packed = zlib.compress(bytes(200_000_000), 1)
    return png_of(64, 64, chunk(b"zTXt", b"Comment\0\0" + packed))


def profile_bomb() -> bytes:
    """A small PNG with a colour profile of 200 MB, packed."""
    packed = zlib.compress(bytes(200_000_000), 1)
    return png_of(64, 64, chunk(b"iCCP", b"profile\0\0" + packed))


def scan_bomb(scans: int = 30_000) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    whole = encoded(Image.new("L", (4096, 4096), 99), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * scans + whole[-2:]


def sixteen_bit_rgb() -> bytes:
    """A PNG with 16 bits a channel, all 0x80FF."""
    header = struct.pack(">IIBBBBB", 32, 32, 16, 2, 0, 0, 0)
    rows = (b"\0" + b"\x80\xff" * 96) * 32
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def swapped_profile() -> bytes:
    """A profile in which what is called red is shown as blue."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = data.index(b"rXYZ"), data.index(b"bXYZ")
    data[red : red + 4], data[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(data)


def animated(kind: str) -> bytes:
    """Two frames."""
    frames = [Image.new("RGB", (32, 32), color) for color in ("red", "blue")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def polyglots() -> Iterator[tuple[str, bytes]]:
    """Good pictures that are something else as well."""
    script = b"<script>alert(1)</script><?php system('id'); ?>" + SECRET
    yield "png-then-zip", encoded(corners(), "PNG") + b"PK\x03\x04" + script
    yield "png-then-html", encoded(corners(), "PNG") + b"<html>" + script
    notes = PngInfo()
    notes.add_text("Comment", script.decode(), zip=False)
    yield "png-with-script", encoded(corners(), "PNG", pnginfo=notes)
    yield "jpeg-with-php", encoded(corners(), "JPEG", comment=script, quality=95)
    yield "jpeg-then-pdf", encoded(corners(), "JPEG", quality=95) + b"%PDF-1.7" + script
    yield "webp-with-xmp", encoded(corners(), "WEBP", xmp=script, lossless=True)


def mutations(count: int) -> Iterator[bytes]:
    """Good files of every kind with some bytes changed, dropped or doubled."""
    rng = Random(1)
    goods = [
        with_orientation(6, "PNG"),
        with_orientation(6, "JPEG"),
        with_orientation(6, "WEBP"),
        encoded(corners(), "JPEG", progressive=True, icc_profile=swapped_profile()),
        encoded(corners().convert("P"), "PNG", icc_profile=swapped_profile()),
        encoded(corners().convert("CMYK"), "JPEG"),
        encoded(corners(), "MPO", save_all=True, append_images=[corners()]),
        sixteen_bit_rgb(),
    ]
    for number in range(count):
        data = bytearray(goods[number % len(goods)])
        for _ in range(rng.randint(1, 12)):
            place = rng.randrange(len(data) if rng.random() < 0.5 else min(300, len(data)))
            match rng.randrange(3):
                case 0:
                    data[place] = rng.randrange(256)
                case 1:
                    del data[place : place + rng.randint(1, 9)]
                case _:
                    data[place:place] = data[place : place + rng.randint(1, 40)]
        yield bytes(data)
