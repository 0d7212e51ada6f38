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
VOID = 255  # of a label map: no class
GREY = ("1", "L", "LA", "La", "I")  # I;16 and its kin too
MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # by channels
TRANSPARENT = ("LA", "La", "PA", "RGBA", "RGBa")

T = TypeVar("T")


class Rule(NamedTuple):
    """How every picture becomes pixels.

    A label map keeps the numbers that its grey levels or its palette's entries have, and is resized to the nearest.
    For other pictures:

    It is turned upright (EXIF), composited on white where it is transparent (or keeps its alpha, if 4 `channels` are
    asked for: colours that nobody sees turn black), brought to `channels`, cut to the centred square of `crop` pixels
    (or the largest one, if only `size` is given) and resized to `size` with Pillow's antialiased Lanczos filter, which
    weighs colours by their alpha. 16-bit grey is scaled to 8 bit; of an animation the first picture counts.
    """

    channels: int  # 1 grey, 3 RGB or 4 RGBA
    size: int | None = None  # pixels a side; None: as it is
    crop: int | None = None
    classes: int | None = None  # of a label map: values from 0 to classes - 1, and VOID


class Unusable(Exception):
    """Why a file gives no picture."""


def picture(encoded: bytes, rule: Rule) -> np.ndarray:
    """uint8 [C, H, W]. Raises Unusable."""
    return guarded(lambda: pixels_of(opened(encoded), rule))


def halves(encoded: bytes, rules: tuple[Rule, Rule]) -> tuple[np.ndarray, np.ndarray]:
    """The left and the right half of a file, each by its rule. Raises Unusable."""
    return guarded(lambda: tuple(map(pixels_of, cut_in_two(upright(opened(encoded))), rules)))


def both(first: bytes, second: bytes, rules: tuple[Rule, Rule]) -> tuple[np.ndarray, np.ndarray]:
    """Two files that belong together, each by its rule. Raises Unusable if one is no picture, or their sizes differ."""

    def read() -> tuple[np.ndarray, np.ndarray]:
        images = [upright(opened(encoded)) for encoded in (first, second)]
        refuse_unlike(*(image.size for image in images), exactly=rules[0].size is None)
        return tuple(pixels_of(image, rule) for image, rule in zip(images, rules, strict=True))

    return guarded(read)


def refuse_unlike(first: tuple[int, int], second: tuple[int, int], *, exactly: bool) -> None:
    """Sizes (width, height) that differ; if not `exactly`, shapes that differ by more than a pixel."""
    (width, height), (other_width, other_height) = first, second
    slack = 0 if exactly else max(*first, *second)
    if (first != second) if exactly else abs(width * other_height - height * other_width) > slack:
        remedy = "set data.size=PIXELS to resize both" if exactly else "cut them alike"
        raise Unusable(f"{width} x {height} pixels, and its partner {other_width} x {other_height}: {remedy}")


def cut_in_two(image: Image.Image) -> tuple[Image.Image, Image.Image]:
    width, height = image.size
    if width % 2:
        raise Unusable(f"{width} x {height} pixels: two pictures side by side have an even width")
    return image.crop((0, 0, width // 2, height)), image.crop((width // 2, 0, width, height))


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
    if rule.classes:
        return labels_of(upright(image), rule)
    image = eight_bit(upright(image))
    image = weighted(image) if rule.channels == 4 else flattened(image).convert(MODES[rule.channels])
    pixels = np.asarray(fitted(image, rule).convert(MODES[rule.channels]))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def labels_of(image: Image.Image, rule: Rule) -> np.ndarray:
    """uint8 [1, H, W]."""
    if image.mode not in ("1", "L", "P"):
        raise Unusable(f"a label map has one channel, and this picture is {image.mode}: save classes as grey levels")
    numbers = Image.fromarray(np.asarray(image).astype(np.uint8))  # of a palette: the entries, not their colours
    labels = np.asarray(fitted(numbers, rule, Image.Resampling.NEAREST))
    beyond = labels[(labels >= rule.classes) & (labels != VOID)]
    if len(beyond):
        raise Unusable(f"a label map with class {beyond.max()}; expected 0 to {rule.classes - 1}, or {VOID} for none")
    return labels[None]


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


def weighted(image: Image.Image) -> Image.Image:
    """RGBA with colours that are multiplied by their alpha, as they may be averaged."""
    return image.convert("RGBA").convert("RGBa")


def fitted(image: Image.Image, rule: Rule, filter: Image.Resampling = Image.Resampling.LANCZOS) -> Image.Image:
    if rule.size is None and rule.crop is None:
        return image
    side = rule.crop or min(image.size)
    if side > min(image.size):
        raise Unusable(f"{image.width} x {image.height} pixels, less than the crop of {side}")
    left, top = ((length - side) // 2 for length in image.size)
    square = image.crop((left, top, left + side, top + side))
    return square.resize((rule.size, rule.size), filter) if rule.size else square
