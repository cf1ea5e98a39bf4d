"""Admission of image bytes: what may come in, and the one form in which it is kept.

Kind is told by content, size is checked before anything is decoded, and whatever is admitted
is re-encoded as an 8-bit RGB PNG without metadata. No HTTP and no storage here.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from shared.errors import InvalidRequestError, TooLargeError, UnsupportedMediaError

# Our own limit is checked on the header, long before Pillow's would only warn.
Image.MAX_IMAGE_PIXELS = None

_FORMATS = ("PNG", "JPEG", "WEBP")
_MIN_SIDE_PX = 8
_MAX_SIDE_PX = 16_384
_MAX_ASPECT = 20.0
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, MemoryError)
"""What Pillow raises on damaged files, by kind of damage."""


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """The largest picture that is admitted."""

    max_bytes: int = 24 * 1024 * 1024
    max_pixels: int = 40_000_000


@dataclass(frozen=True, slots=True)
class AdmittedPicture:
    """A clean picture: ``png`` is 8-bit RGB without metadata."""

    png: bytes
    width_px: int
    height_px: int


def admit_picture(data: bytes, limits: PictureLimits) -> AdmittedPicture:
    """Check ``data`` and re-encode it.

    Raises:
        UnsupportedMediaError: not a PNG, JPEG or WebP.
        TooLargeError: more bytes or pixels than allowed.
        InvalidRequestError: damaged, animated, or of an extreme shape.
    """
    if len(data) > limits.max_bytes:
        raise TooLargeError(f"An image may hold at most {limits.max_bytes} bytes.")
    try:
        opened = Image.open(io.BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise UnsupportedMediaError from error
    except _BROKEN as error:
        raise InvalidRequestError("The image is damaged.") from error
    with opened:
        _check_shape(opened, limits)
        picture = _decode(opened)
    return AdmittedPicture(_encode(picture), picture.width, picture.height)


def _check_shape(image: Image.Image, limits: PictureLimits) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        message = f"The image has {width} x {height} pixels; at most {limits.max_pixels} in all."
        raise TooLargeError(message)
    if not all(_MIN_SIDE_PX <= side <= _MAX_SIDE_PX for side in image.size):
        message = f"Each side of an image must have {_MIN_SIDE_PX} to {_MAX_SIDE_PX} pixels."
        raise InvalidRequestError(message)
    if math.exp(abs(math.log(width / height))) > _MAX_ASPECT:
        raise InvalidRequestError(f"One side is over {_MAX_ASPECT:.0f} times the other.")
    if getattr(image, "n_frames", 1) > 1:
        raise InvalidRequestError("Animated images are not accepted.")


def _decode(image: Image.Image) -> Image.Image:
    try:
        image.load()
        return _as_rgb(_in_srgb(ImageOps.exif_transpose(image)))
    except _BROKEN as error:
        raise InvalidRequestError("The image is damaged or cut off.") from error


def _in_srgb(image: Image.Image) -> Image.Image:
    """Colours converted to sRGB if the image brings a profile that can be read."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in {"RGB", "CMYK", "L"}:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError):
        return image  # an unreadable profile is ignored, as every viewer does


def _as_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB; transparent parts become white, 16-bit grey is scaled instead of clipped."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def _encode(image: Image.Image) -> bytes:
    # A new image carries no metadata over.
    clean = Image.frombytes("RGB", image.size, image.tobytes())
    buffer = io.BytesIO()
    clean.save(buffer, format="PNG", compress_level=6)
    return buffer.getvalue()
