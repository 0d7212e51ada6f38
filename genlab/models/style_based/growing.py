"""Networks that grow from 4 x 4 to the data's size, and the sizes of their maps: Karras et al. 2018, section 2."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.models.layers.residual import upsample_nearest

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


class Growing(nn.Module):
    """A mixin for networks that grow, listed before the base class; constructors end with `start_fully_grown`.

    The layers of all sizes exist from the start, and `grow` selects those in use: growing changes no weight. The level
    is part of the state dict, so that loaded weights are used at the size that they were trained at.
    """

    doublings: int  # from 4 x 4 to the data's size
    level: float  # doublings in use; 2.25: the third one is faded in by a quarter
    stage: int  # doublings in the images' size: `level` rounded up
    fading: bool

    def start_fully_grown(self, doublings: int) -> None:
        """Set the full size, which a network has unless `grow` is called."""
        self.doublings = doublings
        # A buffer on the device, so that a graph compiled or captured at one stage serves its whole fade-in.
        self.register_buffer("alpha", torch.ones(()), persistent=False)
        self.grow(doublings)

    def grow(self, level: float) -> None:
        self.level, self.stage = float(level), math.ceil(level)
        self.fading = self.stage != self.level
        self.alpha.fill_(1 - (self.stage - self.level))

    @property
    def side(self) -> int:
        """Return the side of images at the current stage, in pixels."""
        return SMALLEST << self.stage

    def blend(self, below: Tensor, above: Tensor) -> Tensor:
        """Fade from the output of the layers so far, `below`, to that of the new ones, `above`."""
        return torch.lerp(below, above, self.alpha.to(above.dtype))

    def shrink(self, images: Tensor) -> Tensor:
        """Return real images [N, C, H, W] at the current size, faded as generated images are."""
        images = average_down(images, self.side)
        return self.blend(upsample_nearest(avg_pool2d(images, 2)), images) if self.fading else images

    def get_extra_state(self) -> Tensor:
        return torch.tensor(self.level, dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        self.grow(state.item())


class GrowingGenerator(Growing):
    """A growing generator with `to_images`, one 1x1 convolution for each size from 4 x 4 on."""

    to_images: nn.ModuleList

    def to_image(self, below: Tensor, maps: Tensor) -> Tensor:
        """Return images [N, C, side, side] from the maps of this size and, while fading, those of the size below."""
        image = self.to_images[self.stage](maps)
        return self.blend(upsample_nearest(self.to_images[self.stage - 1](below)), image) if self.fading else image


def average_down(images: Tensor, side: int) -> Tensor:
    """Average images [N, C, H, W] down to [N, C, side, side]; smaller ones are returned as they are."""
    factor = images.shape[-1] // side
    return avg_pool2d(images, factor) if factor > 1 else images
