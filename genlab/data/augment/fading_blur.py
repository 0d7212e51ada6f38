"""A blur that hides fine detail from the discriminator early in training."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from genlab.core.random import Draws
from genlab.core.types import Positive, Share
from genlab.data.augment.augmentation import Augmentation


@dataclass
class FadingBlur(Augmentation):
    """Blur with a Gaussian whose deviation falls to 0: Karras et al. 2021 (StyleGAN3), appendix F.2, "config r".

    The discriminator could otherwise recognise generated images early on by their lack of fine detail. Outside of
    images there is 0, the middle of [-1, 1]. The kernel at x pixels from its centre is that of the authors' code,
    2^-(x/s)^2 up to 3 s, where the paper calls s the deviation: a Gaussian's with a deviation of 0.85 s.
    """

    deviation: Positive = 10.0  # pixels, at the start: s
    until: Share = 0.008  # of the run: 200,000 of the paper's 25 million images

    needs_images: ClassVar[bool] = True

    def __call__(self, images: Tensor, draws: Draws, progress: float) -> Tensor:
        left = self.deviation * max(0.0, 1 - progress / self.until) if self.until else 0.0
        reach = math.floor(3 * left)
        return gaussian_blur(images, left, reach) if reach else images


def gaussian_blur(images: Tensor, deviation: float, reach: int) -> Tensor:
    place = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    kernel = (-(place / deviation).square()).exp2()
    channels = images.shape[1]
    line = (kernel / kernel.sum()).expand(channels, 1, 1, -1)
    images = conv2d(images, line, padding=(0, reach), groups=channels)
    return conv2d(images, line.mT, padding=(reach, 0), groups=channels)
