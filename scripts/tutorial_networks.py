"""Small convolutional networks of the widely copied single-file scripts, for `benchmark.py`.

The generator keeps 128 and 64 channels up to full resolution, the discriminator is light (16 to 128 channels).
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.layers.norm import NormName, norm2d
from genlab.models.layers.resample import UpsampleConv2d


class Generator(nn.Module):
    """(z [N, latent]) -> images [N, C, H, W] in [-1, 1]; H and W divisible by four."""

    def __init__(self, spec: Spec, latent_size: Count) -> None:
        super().__init__()
        self.innermost = 128, spec.height // 4, spec.width // 4
        self.first = nn.Linear(latent_size, 128 * (spec.height // 4) * (spec.width // 4))
        self.layers = nn.Sequential(
            nn.BatchNorm2d(128),
            UpsampleConv2d(128, 128),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(0.2),
            UpsampleConv2d(128, 64),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(0.2),
            nn.Conv2d(64, spec.channels, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(self.first(z).unflatten(1, self.innermost))


class Discriminator(nn.Module):
    """(images [N, C, H, W]) -> logits [N]; H and W divisible by 16."""

    def __init__(self, spec: Spec, *, norm: NormName = "batch") -> None:
        super().__init__()
        widths = 16, 32, 64, 128
        self.layers = nn.Sequential(nn.Conv2d(spec.channels, widths[0], 3, stride=2, padding=1), nn.LeakyReLU(0.2))
        for inputs, outputs in pairwise(widths):
            self.layers.extend([nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), *norm2d(norm, outputs)])
            self.layers.append(nn.LeakyReLU(0.2))
        self.last = nn.Linear(widths[-1] * (spec.height // 16) * (spec.width // 16), 1)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.last(self.layers(images).flatten(1)).squeeze(1)
