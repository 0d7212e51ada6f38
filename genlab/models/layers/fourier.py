"""Waves over the plane: an input without edges or a grid, which can be moved and turned exactly."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from genlab.models.layers.equalised import EqualisedLinear
from genlab.models.layers.filtered import Band


class FourierFeatures(nn.Module):
    """w [N, W] -> maps [N, C, S, S] of a band: Karras et al. 2021 (StyleGAN3), sections 3.1 and 3.2, appendix F.1.

    Sines with fixed random frequencies, moved and turned as w asks, then mixed by a learned matrix.
    """

    def __init__(self, style_size: int, channels: int, band: Band) -> None:
        super().__init__()
        self.band = band
        self.affine = EqualisedLinear(style_size, 4)  # cosine and sine of an angle, and a translation
        nn.init.zeros_(self.affine.weight)
        with torch.no_grad():
            self.affine.bias[0] = 1.0
        self.mix = nn.Parameter(torch.randn(channels, channels))
        angle, radius = 2 * pi * torch.rand(channels), band.cutoff * torch.rand(channels).sqrt()  # even over the disc
        self.register_buffer("frequencies", torch.stack([angle.cos(), angle.sin()], 1) * radius[:, None])
        self.register_buffer("phases", torch.rand(channels))  # in turns
        self.register_buffer("transform", torch.eye(3), persistent=False)
        self.register_buffer("places", centres(band), persistent=False)

    def forward(self, w: Tensor) -> Tensor:
        with torch.autocast(w.device.type, enabled=False):  # rounded places are other places
            waves = self.waves(self.placed(w.to(self.mix)))
            maps = linear(waves, self.mix / len(self.mix) ** 0.5)
        return maps.unflatten(1, (self.band.size, -1)).permute(0, 3, 1, 2)

    def placed(self, w: Tensor) -> Tensor:
        """[N, 3, 3]: from a place in the picture to where the waves are read.

        The user's `transform`, then a translation, then a rotation: about the picture's centre, where 0 is.
        """
        turn = self.affine(w)
        cosine, sine, right, down = (turn / turn[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        one, zero = torch.ones_like(sine), torch.zeros_like(sine)
        translation = torch.stack([one, zero, -right, zero, one, -down, zero, zero, one], 1)
        rotation = torch.stack([cosine, -sine, zero, sine, cosine, zero, zero, zero, one], 1)
        return rotation.view(-1, 3, 3) @ translation.view(-1, 3, 3) @ self.transform

    def waves(self, placed: Tensor) -> Tensor:
        """[N, S * S, C], row by row."""
        frequencies = self.frequencies @ placed[:, :2, :2]  # [N, C, 2]: those that the picture shows
        phases = self.phases + (self.frequencies @ placed[:, :2, 2:]).squeeze(2)
        turns = torch.baddbmm(phases[:, None], self.places.expand(placed.shape[0], -1, -1), frequencies.mT)
        return (2 * pi * turns).sin() * self.heard(frequencies)[:, None]

    def heard(self, frequencies: Tensor) -> Tensor:
        """[N, C, 2] -> [N, C]: how much is left of waves that a `transform` makes finer than these samples hold."""
        beyond = (frequencies.norm(dim=2) - self.band.cutoff) / (self.band.rate / 2 - self.band.cutoff)
        return (1 - beyond).clamp(0, 1)


def centres(band: Band) -> Tensor:
    """[S * S, 2]: of samples, row by row (right, down) from the picture's centre, in sides of the picture."""
    line = (torch.arange(band.size) - (band.size - 1) / 2) / band.rate
    return torch.cartesian_prod(line, line).flip(1)
