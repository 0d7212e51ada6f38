"""Fourier features, StyleGAN3's input: waves over the plane, which can be translated and rotated exactly."""

from math import pi

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from genlab.models.layers.equalised import EqualisedLinear
from genlab.models.layers.filtered_nonlinearity import Band


class FourierFeatures(nn.Module):
    """w [N, W] -> maps [N, C, S, S] of a band: Karras et al. 2021 (StyleGAN3), sections 3.1 and 3.2, appendix F.1.

    Sines with fixed random frequencies, translated and rotated as w says, then mixed by a learned matrix.
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
        self.register_buffer("places", sample_places(band), persistent=False)

    def forward(self, w: Tensor) -> Tensor:
        with torch.autocast(w.device.type, enabled=False):  # low precision would move the sample positions
            waves = self.waves(self.input_maps(w.to(self.mix)))
            maps = linear(waves, self.mix / len(self.mix) ** 0.5)
        return maps.unflatten(1, (self.band.size, -1)).permute(0, 3, 1, 2)

    def input_maps(self, w: Tensor) -> Tensor:
        """Return the maps [N, 3, 3] from places in the picture to those at which waves are evaluated.

        The user's `transform`, then a translation and a rotation about the picture's centre, the origin.
        """
        turn = self.affine(w)
        cosine, sine, right, down = (turn / turn[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        one, zero = torch.ones_like(sine), torch.zeros_like(sine)
        translation = torch.stack([one, zero, -right, zero, one, -down, zero, zero, one], 1)
        rotation = torch.stack([cosine, -sine, zero, sine, cosine, zero, zero, zero, one], 1)
        return rotation.view(-1, 3, 3) @ translation.view(-1, 3, 3) @ self.transform

    def waves(self, maps: Tensor) -> Tensor:
        """Return the waves at all samples, [N, S * S, C], row by row."""
        frequencies = self.frequencies @ maps[:, :2, :2]  # [N, C, 2], in the picture's coordinates
        phases = self.phases + (self.frequencies @ maps[:, :2, 2:]).squeeze(2)
        turns = torch.baddbmm(phases[:, None], self.places.expand(maps.shape[0], -1, -1), frequencies.mT)
        return (2 * pi * turns).sin() * self.amplitudes(frequencies)[:, None]

    def amplitudes(self, frequencies: Tensor) -> Tensor:
        """Return factors [N, C] that fade out waves whose `frequencies` [N, C, 2] exceed the band's cutoff."""
        beyond = (frequencies.norm(dim=2) - self.band.cutoff) / (self.band.rate / 2 - self.band.cutoff)
        return (1 - beyond).clamp(0, 1)


def sample_places(band: Band) -> Tensor:
    """Return the samples' places [S * S, 2], row by row, (right, down) from the picture's centre, in its sides."""
    line = (torch.arange(band.size) - (band.size - 1) / 2) / band.rate
    return torch.cartesian_prod(line, line).flip(1)
