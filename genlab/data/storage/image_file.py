"""Read image files as uint8 pixels. Imports Pillow."""

import io
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image, ImageOps

from genlab.data.storage.depth import (
    DEEP_COLOUR,
    Range,
    describe_range,
    is_deep,
    limits_of,
    map_to_eight_bit,
    read_depth,
    values_of,
)
from genlab.data.storage.file_kinds import format_of
from genlab.data.storage.findings import Findings

Image.init()  # or Pillow knows no formats by name
FORMATS = [  # alone: other readers may start programs
    name for name in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM", "AVIF") if name in Image.OPEN
]
MIN_SIDE = 8  # pixels: smaller files are placeholders
MAX_PIXELS = 89_478_485  # Pillow's own bound: 256 MiB as RGB
VOID = 255  # label of pixels without a class
GREY_MODES = ("1", "L", "LA", "La", "I", "F")  # and I;16 and the like
PIL_MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # by channels
ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
SIDE_BY_SIDE = (1.9, 2.9)  # width by height of two pictures side by side; one is seldom as wide, three are wider

T = TypeVar("T")
ASK_FOR_RANGE = "say which are black and white with data.range=[LOW,HIGH]"


class PixelRule(NamedTuple):
    """Rule by which pictures become pixels.

    A picture is turned upright (EXIF), composited on white where transparent (with 4 `channels` it keeps its alpha, and
    invisible colours turn black), converted to `channels`, cropped to the centred square of `crop` pixels (the largest
    one if only `size` is given) and resized to `size` with Pillow's antialiased Lanczos filter, which weighs colours by
    alpha. 16-bit grey is scaled to 8 bit; of an animation or of pages the first picture is taken.

    `range` says which values of the files become black and white, and all between in proportion; colours alone, not
    alpha. It is needed where a file does not say: for signed and floating-point values, and beyond 16 bit.

    A label map keeps the numbers of its grey levels or palette entries, and is resized to the nearest.
    """

    channels: int  # 1 grey, 3 RGB or 4 RGBA
    size: int | None = None  # pixels a side; None: not resized
    crop: int | None = None
    classes: int | None = None  # of a label map: values 0 ... classes - 1, and VOID
    range: Range | None = None  # (low, high) as files have them; None: all that their depth holds
    if_unknown: str = ASK_FOR_RANGE  # what to do about files that do not say what is black and white


Rules = tuple[PixelRule, PixelRule]  # of two partners


class Unusable(Exception):
    """A file cannot be used as a picture, for the reason in the message."""


def read_picture(encoded: bytes, rule: PixelRule, findings: Findings | None = None) -> np.ndarray:
    """Return a file's pixels, uint8 [C, H, W]. Raises Unusable."""
    return or_unusable(lambda: to_pixels(open_image(encoded, *([findings] if findings else [])), rule))


def read_halves(encoded: bytes, rules: Rules, findings: Sequence[Findings] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Return the left and the right half of a file, each by its rule. Raises Unusable."""
    return or_unusable(lambda: tuple(map(to_pixels, cut_in_two(turn_upright(open_image(encoded, *findings))), rules)))


def read_pair(
    first: bytes, second: bytes, rules: Rules, findings: Sequence[Findings] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Return two partner files, each by its rule. Raises Unusable if one is no picture, or sizes differ.

    Findings are one of both files, or one of each.
    """

    def read() -> tuple[np.ndarray, np.ndarray]:
        noted = [findings[:1], findings[-1:]]
        images = [turn_upright(open_image(file, *found)) for file, found in zip((first, second), noted, strict=True)]
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
    least, most = SIDE_BY_SIDE
    if not least <= width / height <= most:
        raise Unusable(
            f"{width} x {height} pixels: two pictures side by side are about twice as wide as high ({least} to "
            f"{most:g} times); cut in two this gives halves of {width // 2} x {height}"
        )
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


def open_image(encoded: bytes, *findings: Findings) -> Image.Image:
    """Open a file, check its header and note what it shows; `info` keeps the depth of its values. Raises Unusable."""
    try:
        image = Image.open(io.BytesIO(encoded), formats=FORMATS)
    except Image.UnidentifiedImageError as error:
        found = format_of(encoded)
        kind = f": {found}; save it as PNG or JPEG" if found else ""
        raise Unusable(f"no image in a format that is read here, or a damaged one{kind}") from error
    except Image.DecompressionBombError as error:
        raise Unusable(f"more than {MAX_PIXELS:,} pixels: {error}") from error
    width, height = image.size
    if min(width, height) < MIN_SIDE:
        raise Unusable(f"{width} x {height} pixels, less than {MIN_SIDE} a side")
    if width * height > MAX_PIXELS:
        raise Unusable(f"{width} x {height} pixels, more than {MAX_PIXELS:,} in all")
    image.info["depth"] = read_depth(image)  # copies and cuts keep it, and not the file's header
    for noted in findings:
        noted.add(image)
    return image


def to_pixels(image: Image.Image, rule: PixelRule) -> np.ndarray:
    if rule.classes:
        return to_label_map(turn_upright(image), rule)
    image, mode = to_eight_bit(turn_upright(image), rule), PIL_MODES[rule.channels]
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


def to_eight_bit(image: Image.Image, rule: PixelRule) -> Image.Image:
    """Scale values to 8 bit, from the range or from what their depth holds; plain 8-bit pictures stay as they are."""
    depth, limits = image.info["depth"], rule.range
    if not is_deep(depth):
        return image if limits is None else stretch_colours(image, limits)
    values = values_of(image)
    if not np.isfinite(values).all():
        raise Unusable(f"{depth} values of which some are not finite")
    low, high = limits or implied_limits(depth, values, rule.if_unknown)
    if image.info.get("white_is_zero"):
        low, high = high, low
    return Image.fromarray(map_to_eight_bit(values, (low, high)))


def implied_limits(depth: str, values: np.ndarray, remedy: str) -> Range:
    """Return the values of black and white that a depth implies. Raises Unusable if it implies none that holds all."""
    limits = limits_of(depth)
    if limits is None or values.min() < limits[0] or values.max() > limits[1]:
        beyond = ", beyond 16 bit" if limits else ""
        raise Unusable(f"{depth} values, {describe_range(values.min(), values.max())}{beyond}: {remedy}")
    return limits


def stretch_colours(image: Image.Image, limits: Range) -> Image.Image:
    """Map the 8-bit colours of a picture so that `limits` become black and white; alpha stays."""
    if image.info["depth"] == DEEP_COLOUR:
        raise Unusable("16-bit colour, of which 8 bit are read: data.range cannot take it; save it with 8 bit")
    clear = image.mode in ALPHA_MODES or "transparency" in image.info
    image = image.convert("RGBA" if clear else "L" if image.mode in ("1", "L") else "RGB")
    levels = np.arange(256)
    colours = len(image.getbands()) - clear
    return image.point([*map_to_eight_bit(levels, limits).tolist() * colours, *levels.tolist() * clear])


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
