"""Read image files as uint8 pixels. Imports Pillow."""

import io
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")  # alone: other readers may start programs
MIN_SIDE = 8  # pixels: smaller files are placeholders
MAX_PIXELS = 89_478_485  # Pillow's own bound: 256 MiB as RGB
VOID = 255  # label of pixels without a class
GREY_MODES = ("1", "L", "LA", "La", "I")  # and I;16 and the like
PIL_MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # by channels
ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")

T = TypeVar("T")


class PixelRule(NamedTuple):
    """Rule by which pictures become pixels.

    A picture is turned upright (EXIF), composited on white where transparent (with 4 `channels` it keeps its alpha, and
    invisible colours turn black), converted to `channels`, cropped to the centred square of `crop` pixels (the largest
    one if only `size` is given) and resized to `size` with Pillow's antialiased Lanczos filter, which weighs colours by
    alpha. 16-bit grey is scaled to 8 bit; of an animation the first picture is taken.

    A label map keeps the numbers of its grey levels or palette entries, and is resized to the nearest.
    """

    channels: int  # 1 grey, 3 RGB or 4 RGBA
    size: int | None = None  # pixels a side; None: not resized
    crop: int | None = None
    classes: int | None = None  # of a label map: values 0 ... classes - 1, and VOID


class Unusable(Exception):
    """A file cannot be used as a picture, for the reason in the message."""


def read_picture(encoded: bytes, rule: PixelRule) -> np.ndarray:
    """Return a file's pixels, uint8 [C, H, W]. Raises Unusable."""
    return or_unusable(lambda: to_pixels(open_image(encoded), rule))


def read_halves(encoded: bytes, rules: tuple[PixelRule, PixelRule]) -> tuple[np.ndarray, np.ndarray]:
    """Return the left and the right half of a file, each by its rule. Raises Unusable."""
    return or_unusable(lambda: tuple(map(to_pixels, cut_in_two(turn_upright(open_image(encoded))), rules)))


def read_pair(first: bytes, second: bytes, rules: tuple[PixelRule, PixelRule]) -> tuple[np.ndarray, np.ndarray]:
    """Return two partner files, each by its rule. Raises Unusable if one is no picture, or sizes differ."""

    def read() -> tuple[np.ndarray, np.ndarray]:
        images = [turn_upright(open_image(encoded)) for encoded in (first, second)]
        refuse_unlike_sizes(*(image.size for image in images), exactly=rules[0].size is None)
        return tuple(to_pixels(image, rule) for image, rule in zip(images, rules, strict=True))

    return or_unusable(read)


def refuse_unlike_sizes(first: tuple[int, int], second: tuple[int, int], *, exactly: bool) -> None:
    """Raise Unusable for sizes (width, height) that differ; if not `exactly`, for shapes a pixel or more apart."""
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
    """Tell whether a picture is grey, from the header alone. Raises Unusable."""
    return or_unusable(lambda: open_image(encoded).mode.partition(";")[0] in GREY_MODES)


def or_unusable(call: Callable[[], T]) -> T:
    try:
        return call()
    except (MemoryError, Unusable):
        raise
    except Exception as error:  # Pillow's readers raise nearly anything on broken files
        raise Unusable(f"truncated or corrupt: {error or type(error).__name__}") from error


def open_image(encoded: bytes) -> Image.Image:
    """Open a file and check its header. Raises Unusable."""
    try:
        image = Image.open(io.BytesIO(encoded), formats=FORMATS)
    except Image.UnidentifiedImageError as error:
        raise Unusable("no image in a format that is read here, or a damaged one") from error
    except Image.DecompressionBombError as error:
        raise Unusable(f"more than {MAX_PIXELS:,} pixels: {error}") from error
    width, height = image.size
    if min(width, height) < MIN_SIDE:
        raise Unusable(f"{width} x {height} pixels, less than {MIN_SIDE} a side")
    if width * height > MAX_PIXELS:
        raise Unusable(f"{width} x {height} pixels, more than {MAX_PIXELS:,} in all")
    return image


def to_pixels(image: Image.Image, rule: PixelRule) -> np.ndarray:
    if rule.classes:
        return to_label_map(turn_upright(image), rule)
    image, mode = to_eight_bit(turn_upright(image)), PIL_MODES[rule.channels]
    # RGBa has colours multiplied by alpha, so that resizing may average them.
    image = image.convert("RGBA").convert("RGBa") if rule.channels == 4 else composite_on_white(image).convert(mode)
    pixels = np.asarray(fit_square(image, rule).convert(mode))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def to_label_map(image: Image.Image, rule: PixelRule) -> np.ndarray:
    """Return a label map, uint8 [1, H, W]."""
    if image.mode not in ("1", "L", "P"):
        raise Unusable(f"a label map has one channel, and this picture is {image.mode}: save classes as grey levels")
    numbers = Image.fromarray(np.asarray(image).astype(np.uint8))  # with a palette: entries, not colours
    labels = np.asarray(fit_square(numbers, rule, Image.Resampling.NEAREST))
    beyond = labels[(labels >= rule.classes) & (labels != VOID)]
    if len(beyond):
        raise Unusable(f"a label map with class {beyond.max()}; expected 0 to {rule.classes - 1}, or {VOID} for none")
    return labels[None]


def turn_upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # invalid EXIF says nothing of orientation
        return image


def to_eight_bit(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey, which files also store as 32-bit integers, to 8 bit; return anything else as it is."""
    if image.mode == "F":
        raise Unusable("floating-point pixels; save 8- or 16-bit ones")
    if not image.mode.startswith("I"):
        return image
    deep = np.asarray(image).astype(np.int64)
    if deep.min() < 0 or deep.max() > 65_535:
        raise Unusable("pixels beyond 16 bit")
    return Image.fromarray(((deep * 255 + 32_767) // 65_535).astype(np.uint8))


def composite_on_white(image: Image.Image) -> Image.Image:
    """Composite a transparent picture on white; return any other as it is."""
    if image.mode not in ALPHA_MODES and "transparency" not in image.info:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def fit_square(image: Image.Image, rule: PixelRule, filter: Image.Resampling = Image.Resampling.LANCZOS) -> Image.Image:
    if rule.size is None and rule.crop is None:
        return image
    side = rule.crop or min(image.size)
    if side > min(image.size):
        raise Unusable(f"{image.width} x {image.height} pixels, less than the crop of {side}")
    left, top = ((length - side) // 2 for length in image.size)
    square = image.crop((left, top, left + side, top + side))
    return square.resize((rule.size, rule.size), filter) if rule.size else square
