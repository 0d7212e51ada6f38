"""Networks that grow from 4 x 4 to the data's size: Karras et al. 2018 (ProGAN), section 2."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from genlab.models.layers.residual import upsample_nearest
from genlab.models.style_based.doubling import SMALLEST


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
