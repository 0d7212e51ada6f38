"""Projected GAN's generator: FastGAN (Liu et al. 2021) as changed in the code of Sauer et al. 2021."""

from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.adversarial.fastgan_generator import (
    DOUBLINGS_APART,
    LAST_EXCITED,
    Excitation,
    gate,
    plan_widths,
    up_block,
)
from genlab.models.layers.concatenation import Concatenation
from genlab.models.layers.equalised import PixelNorm
from genlab.models.layers.first_and_last import FromVector
from genlab.models.map_sizes import innermost_map


class Generator(nn.Module):
    """(z [N, latent], condition=None) -> images [N, C, H, W], which nothing but training holds to [-1, 1].

    z is normalised, then the side is doubled until it is the data's. Each size has two convolutions, with noise, batch
    normalisation and a gated linear unit after each; small maps scale the channels of large ones. An embedded condition
    is appended to z. The published code normalises all weights spectrally: model.spectral_norm=[generator].
    """

    unbounded: ClassVar[bool] = True
    normalises_latent: ClassVar[bool] = True

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        width: Count = 128,  # channels of maps of 128 pixels a side
    ) -> None:
        super().__init__()
        (height, breadth), doublings = innermost_map(spec)
        widths = plan_widths(width, doublings)
        self.norm, self.condition = PixelNorm(), Concatenation(spec)
        first = FromVector(latent_size + self.condition.extra, 2 * widths[0], (height, breadth), bias=False)
        self.first = nn.Sequential(*gate(first, widths[0]))
        self.blocks = nn.ModuleList(
            up_block(*pair, (height << level, breadth << level)) for level, pair in enumerate(pairwise(widths), start=1)
        )
        self.excitations = nn.ModuleDict(
            {
                str(level): Excitation(widths[level - DOUBLINGS_APART], widths[level], (height, breadth))
                for level in range(DOUBLINGS_APART, min(doublings, LAST_EXCITED) + 1)
            }
        )
        self.last = nn.Conv2d(widths[-1], spec.channels, 3, padding=1)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        maps = [self.first(self.condition(self.norm(z), condition)[:, :, None, None])]
        for level, block in enumerate(self.blocks, start=1):
            high = block(maps[-1])
            if str(level) in self.excitations:
                high = high * self.excitations[str(level)](maps[level - DOUBLINGS_APART])
            maps.append(high)
        return self.last(maps[-1])
