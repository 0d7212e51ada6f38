"""Networks that grow from 4 x 4 to the data's size: Karras et al. 2018 (ProGAN), section 2."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from genlab.models.layers.residual import double
from genlab.models.style_based.doubling import SMALLEST


class Growing(nn.Module):
    """Mixed into a network, before the class that constructs it, which calls `grow_up` at the end.

    The layers of all sizes are there from the start, and `grow` says which of them are used: growing changes no
    weight. How far a network has grown is part of its state: weights that are loaded are used as they were trained.
    """

    doublings: int  # of 4 x 4 in the data's size
    level: float  # doublings now; 2.25: the third one is faded in by a quarter
    stage: int  # doublings in the images now, which is `level` rounded up
    fading: bool

    def grow_up(self, doublings: int) -> None:
        """To the full size, where a network is that nobody asks to grow."""
        self.doublings = doublings
        # On the device: what was compiled or captured at one stage serves its whole fade-in.
        self.register_buffer("alpha", torch.ones(()), persistent=False)
        self.grow(doublings)

    def grow(self, level: float) -> None:
        self.level, self.stage = float(level), math.ceil(level)
        self.fading = self.stage != self.level
        self.alpha.fill_(1 - (self.stage - self.level))

    @property
    def side(self) -> int:
        """Pixels of the images now."""
        return SMALLEST << self.stage

    def blend(self, below: Tensor, above: Tensor) -> Tensor:
        """What the layers so far give, and what the new ones give: the first fades into the second."""
        return torch.lerp(below, above, self.alpha.to(above.dtype))

    def shrink(self, images: Tensor) -> Tensor:
        """Real images [N, C, H, W] as large and as sharp as the images now: faded as these are."""
        images = averaged(images, self.side)
        return self.blend(double(avg_pool2d(images, 2)), images) if self.fading else images

    def get_extra_state(self) -> Tensor:
        return torch.tensor(self.level, dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        self.grow(state.item())


class GrowingGenerator(Growing):
    """With `to_images`, one 1x1 convolution for each size from 4 x 4 on."""

    to_images: nn.ModuleList

    def image(self, below: Tensor, maps: Tensor) -> Tensor:
        """[N, C, side, side] of the maps of this size; while fading, of those of the size below as well."""
        image = self.to_images[self.stage](maps)
        return self.blend(double(self.to_images[self.stage - 1](below)), image) if self.fading else image


def averaged(images: Tensor, side: int) -> Tensor:
    """[N, C, H, W] -> [N, C, side, side]; those that are no larger stay as they are."""
    factor = images.shape[-1] // side
    return avg_pool2d(images, factor) if factor > 1 else images
