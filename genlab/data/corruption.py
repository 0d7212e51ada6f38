"""Corruptions of the images that a denoising autoencoder reads: functions of (images, draws)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.core.types import NonNegative, Share


@dataclass(frozen=True)
class GaussianNoise:
    """Add normal noise: Vincent et al. 2010, section 3.3."""

    deviation: NonNegative = 0.5  # of values in [-1, 1]

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        return images + self.deviation * draws.normal("corruption", *images.shape[1:])


@dataclass(frozen=True)
class Masking:
    """Turn a share of the pixels black, or of the coordinates of points to 0: Vincent et al. 2008, section 2.3.

    Values are lost independently, where the paper takes an exact number of them.
    """

    share: Share = 0.25

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        lost = draws.uniform("corruption", *images.shape[1:]) < self.share
        return torch.where(lost, -1.0 if images.ndim == 4 else 0.0, images)
