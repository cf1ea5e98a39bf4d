"""Admission of image bytes: what may come in, and the one form in which it is kept.

Kind is told by content, size is checked before anything is decoded, and whatever is admitted
is turned as its EXIF says, brought to sRGB, laid on white and re-encoded as an 8-bit RGB PNG
without metadata. No HTTP and no storage here.
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
_PHONE_JPEG = "MPO"
"""A JPEG with more pictures behind the first, as phones make them: the first is what counts."""
_JPEGS = frozenset({"JPEG", _PHONE_JPEG})
_MIN_SIDE_PX = 8
_MAX_SIDE_PX = 16_384
_MAX_ASPECT = 20.0
_MAX_SCANS = 100
"""Of a progressive JPEG: each costs a walk over the whole picture, and needs but a few bytes."""
_SCAN = b"\xff\xda"


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
    if not data:
        raise InvalidRequestError("The image is empty: send its bytes.")
    if len(data) > limits.max_bytes:
        raise TooLargeError(f"An image may hold at most {limits.max_bytes} bytes.")
    with _opened(data) as opened:
        _check_shape(opened, limits)
        if opened.format in _JPEGS and data.count(_SCAN) > _MAX_SCANS:
            raise InvalidRequestError(f"The JPEG has over {_MAX_SCANS} scans: save it anew.")
        picture = _decode(opened)
    return AdmittedPicture(_encode(picture), picture.width, picture.height)


def _opened(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise UnsupportedMediaError from error
    except Exception as error:  # decoders raise whatever they stumble over
        raise InvalidRequestError("The image is damaged: save or send it anew.") from error


def _check_shape(image: Image.Image, limits: PictureLimits) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        message = (
            f"The image has {width} x {height} pixels; at most {limits.max_pixels} in all:"
            " make it smaller."
        )
        raise TooLargeError(message)
    if not all(_MIN_SIDE_PX <= side <= _MAX_SIDE_PX for side in image.size):
        message = (
            f"The image has {width} x {height} pixels; each side must have"
            f" {_MIN_SIDE_PX} to {_MAX_SIDE_PX}."
        )
        raise InvalidRequestError(message)
    if math.exp(abs(math.log(width / height))) > _MAX_ASPECT:
        message = f"One side is over {_MAX_ASPECT:.0f} times the other: send a part of it."
        raise InvalidRequestError(message)
    if image.format != _PHONE_JPEG and getattr(image, "n_frames", 1) > 1:
        raise InvalidRequestError("Animated images are not accepted: send one still picture.")


def _decode(image: Image.Image) -> Image.Image:
    try:
        image.load()
        return _as_rgb(_in_srgb(ImageOps.exif_transpose(image)))
    except Exception as error:  # decoders raise whatever they stumble over
        message = "The image is damaged or cut off: save or send it anew."
        raise InvalidRequestError(message) from error


def _in_srgb(image: Image.Image) -> Image.Image:
    """Colours converted to sRGB if the image brings a profile that can be read."""
    profile = image.info.get("icc_profile")
    if not profile:
        return image
    if image.mode in {"P", "PA"}:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode == "RGBA":
        converted = _through_profile(image.convert("RGB"), profile)
        converted.putalpha(image.getchannel("A"))
        return converted
    return _through_profile(image, profile) if image.mode in {"RGB", "CMYK", "L"} else image


def _through_profile(image: Image.Image, profile: bytes) -> Image.Image:
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
