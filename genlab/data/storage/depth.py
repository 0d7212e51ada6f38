"""Depth of the values in picture files: bits, sign, and what is black and white in them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # Pillow takes a moment to load
    from PIL import Image

Range = tuple[float, float]  # values that become black and white

SAMPLE_FORMAT, PHOTOMETRIC = 339, 262  # tags of TIFF
SIGNED, WHITE_IS_ZERO = 2, 0  # their values
SIXTEEN_BITS = (0.0, 65_535.0)
DEEP_COLOUR = "16-bit colour"
STRIP_PIXELS = 2**20  # of what is computed at a time


def read_depth(image: "Image.Image") -> str:
    """Return the depth of a file that is open and not yet loaded; notes in `info` where zero is white."""
    tags = getattr(image, "tag_v2", {})
    signed = "signed " * (SIGNED in np.atleast_1d(tags.get(SAMPLE_FORMAT, ())))
    if image.mode == "F":
        depth = "floating-point"
    elif image.mode.startswith("I;16"):
        depth = "16-bit"
    elif image.mode == "I":
        narrow = image.format != "TIFF" or "16" in raw_mode(image)
        depth = signed + "16-bit" if narrow else "32-bit"
    else:
        depth = DEEP_COLOUR if ";16" in raw_mode(image) else f"{signed}8-bit"
    if is_deep(depth) and not signed and tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
        image.info["white_is_zero"] = True  # Pillow turns 8-bit files round alone
    return depth


def raw_mode(image: "Image.Image") -> str:
    """Return how Pillow reads the file: `RGB;16B` drops the lower byte of each value."""
    how = image.tile[0][3] if image.tile else ""
    return str(how[0] if isinstance(how, tuple) else how)


def is_deep(depth: str) -> bool:
    """Tell whether values must be scaled to 8 bit. Of 16-bit colour Pillow reads the higher bytes alone."""
    return depth not in ("8-bit", DEEP_COLOUR)


def limits_of(depth: str) -> Range | None:
    """Return the values of black and white that a depth implies; None: it implies none."""
    return SIXTEEN_BITS if depth in ("16-bit", "32-bit") else None


def strip_rows(image: "Image.Image") -> int:
    """Return how many rows of a picture are computed at a time: float64 takes 8 bytes a pixel."""
    return max(1, STRIP_PIXELS // image.width)


def strips(image: "Image.Image") -> Iterator["Image.Image"]:
    """Yield a picture in strips of `strip_rows`, from the top; a small one as it is."""
    rows = strip_rows(image)
    for top in range(0, image.height, rows):
        whole = image.height <= rows
        yield image if whole else image.crop((0, top, image.width, min(top + rows, image.height)))


def values_of(image: "Image.Image") -> np.ndarray:
    """Return the values of a deep picture, float64 [H, W]."""
    values = np.asarray(image)
    if image.info["depth"] == "signed 8-bit":  # Pillow reads them as unsigned
        values = values.view(np.int8)
    return values.astype(np.float64)


def map_to_eight_bit(values: np.ndarray, limits: Range) -> np.ndarray:
    """Map values so that the limits become 0 and 255, rounded and cut off."""
    low, high = limits
    return np.rint((values - low) * (255 / (high - low))).clip(0, 255).astype(np.uint8)


def describe_range(low: float, high: float) -> str:
    return f"{format_value(low)} to {format_value(high)}"


def format_value(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:.4g}"
