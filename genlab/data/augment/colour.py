"""Random linear maps of colours: brightness, contrast, luma flip, hue and saturation."""

from functools import lru_cache
from math import pi

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.data.augment.augmentation import draw_masks

BRIGHTNESS_STD = 0.2  # of the shift; images are in [-1, 1]
LOG2_CONTRAST_STD = 0.5  # of log2 of the factor
LOG2_SATURATION_STD = 1.0  # of log2 of the factor


def recolour(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """Change brightness, contrast, luma, hue and saturation at random: Karras et al. 2020 (ADA), figure 23.

    A fourth channel, alpha, is kept; grey images have no hue and no saturation. All changes but brightness act
    separately on the axis of greys and on the plane across it, so their order does not matter.
    """
    shifts, stretches, flips, turns, saturates = draw_masks(draws, "color", 5, strength)
    brightness, contrast, saturation = draws.normal("color", 3).unbind(1)
    flip, angle = draws.uniform("color", 2).unbind(1)
    contrast = 2 ** (LOG2_CONTRAST_STD * contrast * stretches)
    luma = contrast * (1 - 2 * (flips & (flip < 0.5)).to(contrast))
    chroma = contrast * 2 ** (LOG2_SATURATION_STD * saturation * saturates)
    return transform_colours(images, luma, chroma, 2 * pi * angle * turns, luma * BRIGHTNESS_STD * brightness * shifts)


def transform_colours(images: Tensor, luma: Tensor, chroma: Tensor, hue: Tensor, shift: Tensor) -> Tensor:
    """Scale the grey part by luma, scale the rest by chroma and turn it by hue, then add shift; all [N]."""
    colour, alpha = images[:, :3], images[:, 3:]
    factors = torch.stack([luma, chroma * hue.cos(), chroma * hue.sin()], 1)
    parts = colour_basis(colour.shape[1], images.device, images.dtype)
    matrix = (factors.view(-1, 3, 1, 1) * parts).sum(1)
    changed = torch.baddbmm(shift.view(-1, 1, 1), matrix, colour.flatten(2)).view(colour.shape)
    return torch.cat([changed, alpha], 1) if alpha.shape[1] else changed


@lru_cache
def colour_basis(channels: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return [3, C, C]: the projections onto greys and onto the plane across them, and a quarter turn of the latter."""
    eye = torch.eye(channels, dtype=torch.float64)
    grey = torch.full_like(eye, 1 / channels)
    turned = torch.zeros_like(eye)
    if channels == 3:  # the cross product with the unit vector of greys
        turned = (eye.roll(1, 0) - eye.roll(-1, 0)) / 3**0.5
    return torch.stack([grey, eye - grey, turned]).to(dtype).to(device)
