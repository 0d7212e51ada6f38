"""Read image files as uint8 pixels. Imports Pillow."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image, ImageOps

from genlab.core.picture_file import PIXELS, Unidentified, Unusable, open_picture
from genlab.data.storage.depth import (
    DEEP_COLOUR,
    Range,
    describe_range,
    is_deep,
    limits_of,
    map_to_eight_bit,
    read_depth,
    strip_rows,
    strips,
    values_of,
)
from genlab.data.storage.file_kinds import format_of
from genlab.data.storage.findings import Findings

MAX_UNSIZED = 2**24  # pixels of a picture that is stored as it is
MIN_SIDE = 8  # pixels: smaller files are placeholders
ORIENTATION = 0x0112  # tag of EXIF
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


def read_picture(encoded: bytes, rule: PixelRule, findings: Findings | None = None) -> np.ndarray:
    """Return a file's pixels, uint8 [C, H, W]. Raises Unusable."""
    noted = [findings] if findings else []
    size = None if rule.crop or rule.classes else rule.size
    return decode([encoded], [noted], lambda image: to_pixels(image, rule), size)


def read_halves(encoded: bytes, rules: Rules, findings: Sequence[Findings] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Return the left and the right half of a file, each by its rule. Raises Unusable."""
    return decode([encoded], [findings], lambda image: tuple(map(to_pixels, cut_in_two(turn_upright(image)), rules)))


def read_pair(
    first: bytes, second: bytes, rules: Rules, findings: Sequence[Findings] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Return two partner files, each by its rule. Raises Unusable if one is no picture, or sizes differ.

    Findings are one of both files, or one of each.
    """

    def read(*found: Image.Image) -> tuple[np.ndarray, np.ndarray]:
        images = [turn_upright(image) for image in found]
        refuse_unlike_sizes(*(image.size for image in images), exactly=rules[0].size is None)
        return tuple(to_pixels(image, rule) for image, rule in zip(images, rules, strict=True))

    return decode([first, second], [findings[:1], findings[-1:]], read)


def decode(
    files: list[bytes], findings: Sequence[Sequence[Findings]], read: Callable[..., T], size: int | None = None
) -> T:
    """Return what `read` makes of open files, once their pixels fit into memory beside those of other threads."""

    def run() -> T:
        images = [open_image(encoded, size) for encoded in files]
        with PIXELS.take(sum(image.width * image.height for image in images)):
            for image, noted in zip(images, findings, strict=True):
                for one in noted:
                    one.add(image)
            return read(*images)

    return or_unusable(run)


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
    return or_unusable(lambda: open_image(encoded, size=1).mode.partition(";")[0] in GREY_MODES)


def or_unusable(call: Callable[[], T]) -> T:
    try:
        return call()
    except (MemoryError, Unusable):
        raise
    except Exception as error:  # Pillow's readers raise nearly anything on broken files
        raise Unusable(f"truncated or corrupt: {error or type(error).__name__}") from error


def open_image(encoded: bytes, size: int | None = None) -> Image.Image:
    """Open a file and check its header; `info` keeps the depth of its values. Raises Unusable."""
    try:
        image = open_picture(encoded, size=size)
    except Unidentified as reason:
        found = format_of(encoded)
        raise Unusable(f"{reason}{f': {found}; save it as PNG or JPEG' if found else ''}") from reason
    width, height = image.size
    if min(width, height) < MIN_SIDE:
        raise Unusable(f"{width} x {height} pixels, less than {MIN_SIDE} a side")
    image.info["depth"] = read_depth(image)  # copies and cuts keep it, and not the file's header
    return image


def to_pixels(image: Image.Image, rule: PixelRule) -> np.ndarray:
    if not (rule.size or rule.crop) and image.width * image.height > MAX_UNSIZED:
        found = f"{image.width} x {image.height} pixels, more than {MAX_UNSIZED:,}"
        raise Unusable(f"{found} that are kept as they are: set data.size=PIXELS")
    if rule.classes:
        return to_label_map(turn_upright(image), rule)
    image, mode = to_eight_bit(turn_upright(image), rule), PIL_MODES[rule.channels]
    # RGBa has colours multiplied by alpha, so that resizing may average them.
    image = to_mode(to_mode(image, "RGBA"), "RGBa") if rule.channels == 4 else to_mode(composite_on_white(image), mode)
    pixels = np.asarray(to_mode(fit_square(image, rule), mode))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def to_mode(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)  # which copies a picture of that mode, too


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
        turned = image.getexif().get(ORIENTATION, 1) in range(2, 9)
        return ImageOps.exif_transpose(image) if turned else image
    except Exception:  # invalid EXIF says nothing of orientation
        return image


def to_eight_bit(image: Image.Image, rule: PixelRule) -> Image.Image:
    """Scale values to 8 bit, from the range or from what their depth holds; plain 8-bit pictures stay as they are."""
    depth, limits = image.info["depth"], rule.range
    if not is_deep(depth):
        return image if limits is None else stretch_colours(image, limits)
    extremes = np.array([(values.min(), values.max()) for values in map(values_of, strips(image))])
    if not np.isfinite(extremes).all():
        raise Unusable(f"{depth} values of which some are not finite")
    low, high = limits or implied_limits(depth, extremes, rule.if_unknown)
    if image.info.get("white_is_zero"):
        low, high = high, low
    return Image.fromarray(np.concatenate([map_to_eight_bit(values_of(strip), (low, high)) for strip in strips(image)]))


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
    image = to_mode(image, "RGBA")
    for top, strip in zip(range(0, image.height, strip_rows(image)), strips(image), strict=True):
        image.paste(Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip), (0, top))
    return image


def fit_square(image: Image.Image, rule: PixelRule, filter: Image.Resampling = Image.Resampling.LANCZOS) -> Image.Image:
    if rule.size is None and rule.crop is None:
        return image
    side = rule.crop or min(image.size)
    if side > min(image.size):
        raise Unusable(f"{image.width} x {image.height} pixels, less than the crop of {side}")
    left, top = ((length - side) // 2 for length in image.size)
    whole = image.size == (side, side)
    square = image if whole else image.crop((left, top, left + side, top + side))
    return square.resize((rule.size, rule.size), filter) if rule.size else square
