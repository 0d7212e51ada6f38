"""Sizes of maps: the number of halvings, channels, and the map that attends to itself."""

from collections.abc import Sequence
from typing import Literal

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec

# constant: one width for all maps, as for images of 32 pixels in Miyato et al. 2018, table 4.
# doubling: twice as wide each time the side halves, as for larger images in tables 5 and 6.
# published: doubling, but as the code of Brock et al. 2019 has it after three halvings (32 pixels) and four (64).
Growth = Literal["constant", "doubling", "published"]

SMALLEST, LARGEST = 4, 7  # pixels of the innermost map's shorter side
WIDEST = 16  # largest width, as a multiple of the outermost map's
PUBLISHED = {  # from the innermost map outwards: Brock et al. 2019, appendix B, for 256 and 512 pixels
    6: (16, 16, 8, 8, 4, 2, 1),
    7: (16, 16, 8, 8, 4, 2, 1, 1),
}
BIGGAN_FLAT = 3  # halvings of the networks for CIFAR-10, whose maps are all equally wide
BIGGAN_WIDTHS = {BIGGAN_FLAT: (4, 4, 4, 4), 4: (16, 16, 8, 4, 2)}  # of generators


def widths(width: int, levels: int, growth: Growth) -> list[int]:
    """Return the channels of a generator's `levels` + 1 maps, from the innermost outwards."""
    if growth == "published" and levels in BIGGAN_WIDTHS:
        return [width * multiple for multiple in BIGGAN_WIDTHS[levels]]
    return doubled_widths(width, levels, growth)


def discriminator_widths(width: int, levels: int, growth: Growth, *, flat: bool = False) -> list[int]:
    """Return the channels of a discriminator's `levels` + 1 maps, from the outermost inwards; `flat`: all 4 x width."""
    return [4 * width] * (levels + 1) if flat else doubled_widths(width, levels, growth)[::-1]


def is_flat(spec: Spec, growth: Growth) -> bool:
    """Return whether all of a discriminator's maps are equally wide, as BigGAN's are for images of 32 pixels."""
    return growth == "published" and halvings(spec, SMALLEST) == BIGGAN_FLAT


def doubled_widths(width: int, levels: int, growth: Growth) -> list[int]:
    if growth == "constant":
        return [width] * (levels + 1)
    doubled = [min(2**level, WIDEST) for level in reversed(range(levels + 1))]
    return [width * multiple for multiple in PUBLISHED.get(levels, doubled)]


def halvings(spec: Spec, smallest: int) -> int:
    """Return how often both sides can be halved before one has no more than `smallest` pixels."""
    spec.require_images()
    height, width, count = spec.height, spec.width, 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) > smallest:
        height, width, count = height // 2, width // 2, count + 1
    return count


def innermost_map(spec: Spec) -> tuple[tuple[int, int], int]:
    """Return (height, width) of the map whose shorter side has 4 to 7 pixels, and how often it is halved on the way.

    Raises ConfigError for a size that halving does not bring there.
    """
    count = halvings(spec, LARGEST)
    size = spec.height >> count, spec.width >> count
    if not count or not SMALLEST <= min(size) <= LARGEST:
        raise ConfigError(
            f"images of {spec.height}x{spec.width}: these networks halve the side until {SMALLEST} to {LARGEST} pixels "
            f"are left, so it must be 4, 5, 6 or 7 times a power of two. Set data.size={_nearest_size(spec)}."
        )
    return size, count


def map_sides(spec: Spec, levels: int) -> list[int]:
    """Return the shorter side of images and of every map, from the outermost inwards."""
    return [min(spec.height, spec.width) >> level for level in range(levels + 1)]


def attention_level(sides: Sequence[int], largest: int) -> int:
    """Return the index of the map that attends to itself, of maps with these sides; -1: none.

    It is the largest map of at most `largest` pixels a side, else the smallest one; never one as large as the image.
    """
    smaller = [side for side in sides if side < max(sides)]
    if not largest or not smaller:
        return -1
    return sides.index(max((side for side in smaller if side <= largest), default=min(smaller)))


def _nearest_size(spec: Spec) -> int:
    """Return the smallest side not below the image's that halving can bring to 4 to 7 pixels."""
    side = max(spec.height, spec.width, 2 * SMALLEST)
    sizes = [base << power for base in range(SMALLEST, LARGEST + 1) for power in range(1, side.bit_length())]
    return min(size for size in sizes if size >= side)
