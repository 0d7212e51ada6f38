"""Sizes of maps in networks that double 4 x 4 maps until they are as large as the image."""

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec

SMALLEST = 4  # pixels a side of the innermost map
SIDES = (8, 1024)  # pixels, of the image


def side_of(spec: Spec) -> int:
    """Return the images' side. Raises ConfigError unless they are square and it is a power of two from 8 to 1024."""
    spec.require_images()
    above = 1 << (max(spec.height, spec.width) - 1).bit_length()  # the power of two not below it
    side = min(max(above, SIDES[0]), SIDES[1])
    if (spec.height, spec.width) != (side, side):
        raise ConfigError(
            f"images of {spec.height}x{spec.width}: these networks make squares whose side is a power of two from "
            f"{SIDES[0]} to {SIDES[1]}. Set data.size={side}."
        )
    return side


def doublings_of(spec: Spec) -> int:
    """Return how often 4 x 4 is doubled to reach the image's size."""
    return side_of(spec).bit_length() - SMALLEST.bit_length()


def widths(spec: Spec, width: int, most: int) -> list[int]:
    """Return the channels of maps from 4 x 4 to the image's size: `width` there, twice as many each size below."""
    return [min(width << level, most) for level in reversed(range(doublings_of(spec) + 1))]
