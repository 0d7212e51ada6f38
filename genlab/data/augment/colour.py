"""Linear maps of colours."""

from __future__ import annotations

from functools import lru_cache
from math import pi

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.data.augment.chance import happen

BRIGHTNESS = 0.2  # standard deviation; images are in [-1, 1]
CONTRAST = 0.5  # standard deviation of log2 of the factor
SATURATION = 1.0  # the same


def recolour(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """Brightness, contrast, luma flip, hue and saturation: Karras et al. 2020 (ADA), figure 23.

    A fourth channel, alpha, stays; grey has no hue and no saturation. All of these but the brightness act on the
    axis of greys and on the plane across it apart, so their order does not matter.
    """
    shifts, stretches, flips, turns, saturates = happen(draws, "color", 5, strength)
    brightness, contrast, saturation = draws.normal("color", 3).unbind(1)
    flip, angle = draws.uniform("color", 2).unbind(1)
    contrast = 2 ** (CONTRAST * contrast * stretches)
    luma = contrast * (1 - 2 * (flips & (flip < 0.5)).to(contrast))
    chroma = contrast * 2 ** (SATURATION * saturation * saturates)
    return recoloured(images, luma, chroma, 2 * pi * angle * turns, luma * BRIGHTNESS * brightness * shifts)


def recoloured(images: Tensor, luma: Tensor, chroma: Tensor, hue: Tensor, shift: Tensor) -> Tensor:
    """[N, C, H, W]: what is grey times luma, what is not times chroma and turned by hue, plus shift; all [N]."""
    colour, alpha = images[:, :3], images[:, 3:]
    factors = torch.stack([luma, chroma * hue.cos(), chroma * hue.sin()], 1)
    parts = basis(colour.shape[1], images.device, images.dtype)
    matrix = (factors.view(-1, 3, 1, 1) * parts).sum(1)
    changed = torch.baddbmm(shift.view(-1, 1, 1), matrix, colour.flatten(2)).view(colour.shape)
    return torch.cat([changed, alpha], 1) if alpha.shape[1] else changed


@lru_cache
def basis(channels: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """[3, C, C]: onto the greys, onto the colours across them, and there with a quarter turn."""
    eye = torch.eye(channels, dtype=torch.float64)
    grey = torch.full_like(eye, 1 / channels)
    turned = torch.zeros_like(eye)
    if channels == 3:  # v x, of the unit vector v of greys
        turned = (eye.roll(1, 0) - eye.roll(-1, 0)) / 3**0.5
    return torch.stack([grey, eye - grey, turned]).to(dtype).to(device)
