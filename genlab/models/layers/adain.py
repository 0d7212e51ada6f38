"""Adaptive instance normalisation, by which a style controls feature maps."""

import torch
from torch import Tensor, nn

from genlab.core.types import Count, Share
from genlab.models.layers.equalised import EqualisedLinear


class AdaIN(nn.Module):
    """(maps [N, C, H, W], style [N, W]) -> [N, C, H, W]: Karras et al. 2019 (StyleGAN), equation 1.

    Each map is normalised to mean 0 and variance 1, then scaled and shifted by affine functions of the style that start
    near 1 and 0. `alpha` interpolates from the unchanged maps: Huang and Belongie 2017, equation 14.
    """

    def __init__(self, style_size: Count, channels: Count, *, alpha: Share = 1.0) -> None:
        super().__init__()
        self.affine, self.alpha = EqualisedLinear(style_size, 2 * channels), alpha

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        scale, shift = self.affine(style)[:, :, None, None].chunk(2, dim=1)
        adapted = normalise_instances(maps) * (1 + scale) + shift
        return adapted if self.alpha == 1 else torch.lerp(maps, adapted, self.alpha)


def normalise_instances(maps: Tensor) -> Tensor:
    variance, mean = torch.var_mean(maps, (2, 3), correction=0, keepdim=True)
    return (maps - mean) * (variance + 1e-8).rsqrt()
