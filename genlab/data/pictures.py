"""An image file -> uint8 pixels. Imports Pillow."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")  # no others: some of Pillow's start programs
SMALLEST = 8  # pixels a side: what is smaller is a placeholder
LARGEST = 89_478_485  # pixels, Pillow's own bound: 256 MiB as RGB
GREY = ("1", "L", "LA", "La", "I")  # I;16 and its kin too
TRANSPARENT = ("LA", "La", "PA", "RGBA", "RGBa")

T = TypeVar("T")


class Rule(NamedTuple):
    """How every picture becomes pixels.

    It is turned upright (EXIF), composited on white where it is transparent, brought to `channels`, cut to the
    centred square of `crop` pixels (or the largest one, if only `size` is given) and resized to `size` with Pillow's
    antialiased Lanczos filter. 16-bit grey is scaled to 8 bit; of an animation the first picture counts.
    """

    channels: int  # 1 or 3
    size: int | None = None  # pixels a side; None: as it is
    crop: int | None = None


class Unusable(Exception):
    """Why a file gives no picture."""


def picture(encoded: bytes, rule: Rule) -> np.ndarray:
    """uint8 [C, H, W]. Raises Unusable."""
    return guarded(lambda: pixels_of(opened(encoded), rule))


def is_grey(encoded: bytes) -> bool:
    """From the header alone. Raises Unusable."""
    return guarded(lambda: opened(encoded).mode.partition(";")[0] in GREY)


def guarded(call: Callable[[], T]) -> T:
    try:
        return call()
    except (MemoryError, Unusable):
        raise
    except Exception as error:  # Pillow's readers raise nearly anything on broken files
        raise Unusable(f"truncated or corrupt: {error or type(error).__name__}") from error


def opened(encoded: bytes) -> Image.Image:
    """The header, checked. Raises Unusable."""
    try:
        image = Image.open(io.BytesIO(encoded), formats=FORMATS)
    except Image.UnidentifiedImageError as error:
        raise Unusable("no image in a format that is read here, or a damaged one") from error
    except Image.DecompressionBombError as error:
        raise Unusable(f"more than {LARGEST:,} pixels: {error}") from error
    width, height = image.size
    if min(width, height) < SMALLEST:
        raise Unusable(f"{width} x {height} pixels, less than {SMALLEST} a side")
    if width * height > LARGEST:
        raise Unusable(f"{width} x {height} pixels, more than {LARGEST:,} in all")
    return image


def pixels_of(image: Image.Image, rule: Rule) -> np.ndarray:
    image = flattened(eight_bit(upright(image)))
    image = image.convert("L" if rule.channels == 1 else "RGB")
    pixels = np.asarray(fitted(image, rule))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # what a camera wrote is no EXIF: then it says nothing of orientation
        return image


def eight_bit(image: Image.Image) -> Image.Image:
    """16-bit grey, which files also hold as 32-bit integers, scaled to 8 bit; anything else as it is."""
    if image.mode == "F":
        raise Unusable("floating-point pixels; save 8- or 16-bit ones")
    if not image.mode.startswith("I"):
        return image
    deep = np.asarray(image).astype(np.int64)
    if deep.min() < 0 or deep.max() > 65_535:
        raise Unusable("pixels beyond 16 bit")
    return Image.fromarray(((deep * 255 + 32_767) // 65_535).astype(np.uint8))


def flattened(image: Image.Image) -> Image.Image:
    """Composited on white."""
    if image.mode not in TRANSPARENT and "transparency" not in image.info:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def fitted(image: Image.Image, rule: Rule) -> Image.Image:
    if rule.size is None and rule.crop is None:
        return image
    side = rule.crop or min(image.size)
    if side > min(image.size):
        raise Unusable(f"{image.width} x {image.height} pixels, less than the crop of {side}")
    left, top = ((length - side) // 2 for length in image.size)
    square = image.crop((left, top, left + side, top + side))
    return square.resize((rule.size, rule.size), Image.Resampling.LANCZOS) if rule.size else square
