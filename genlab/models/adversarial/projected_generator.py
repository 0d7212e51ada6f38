"""Projected GAN's generator: FastGAN (Liu et al. 2021) as changed in the code of Sauer et al. 2021."""

from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.adversarial.fastgan import gated_layer
from genlab.models.layers.concatenation import Concatenation
from genlab.models.layers.equalised import PixelNorm
from genlab.models.layers.first_and_last import FromVector
from genlab.models.layers.noise import Noise
from genlab.models.layers.resample import UpsampleConv2d
from genlab.models.map_sizes import innermost_map

MULTIPLES = (16, 8, 4, 2, 2, 1, 1 / 2, 1 / 4, 1 / 8)  # of `width`: channels of maps of 4, 8, ..., 1024 pixels
EXCITED = range(4, 8)  # doublings of maps whose channels are scaled, by the map four doublings below
DOUBLINGS_APART = 4  # doublings between both


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
        widths = [max(1, int(multiple * width)) for multiple in MULTIPLES[: doublings + 1]]
        widths += widths[-1:] * (doublings + 1 - len(widths))
        self.norm, self.condition = PixelNorm(), Concatenation(spec)
        first = FromVector(latent_size + self.condition.extra, 2 * widths[0], (height, breadth), bias=False)
        self.first = gated_layer(first, widths[0])
        self.blocks = nn.ModuleList(
            up_block(*pair, (height << level, breadth << level)) for level, pair in enumerate(pairwise(widths), start=1)
        )
        self.excitations = nn.ModuleDict(
            {
                str(level): Excitation(widths[level - DOUBLINGS_APART], widths[level], (height, breadth))
                for level in EXCITED
                if level <= doublings
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


def up_block(inputs: int, outputs: int, size: tuple[int, int]) -> nn.Sequential:
    """Double the side to `size`: [N, in, h, w] -> [N, out, 2h, 2w]."""
    return nn.Sequential(
        *noisy_layer(UpsampleConv2d(inputs, 2 * outputs, bias=False), outputs, size),
        *noisy_layer(nn.Conv2d(outputs, 2 * outputs, 3, padding=1, bias=False), outputs, size),
    )


def noisy_layer(layer: nn.Module, outputs: int, size: tuple[int, int]) -> list[nn.Module]:
    """Return `layer`, of 2 x `outputs` channels, and what follows it."""
    return [layer, Noise(size), nn.BatchNorm2d(2 * outputs), nn.GLU(dim=1)]


class Excitation(nn.Sequential):
    """[N, low, h, w] -> a factor [N, high, 1, 1] for each channel of larger maps: equation 1 of Liu et al. 2021."""

    def __init__(self, low: int, high: int, innermost: tuple[int, int]) -> None:
        squeeze, scale = nn.Conv2d(low, high, innermost, bias=False), nn.Conv2d(high, high, 1, bias=False)
        super().__init__(squeeze, nn.SiLU(), scale, nn.Sigmoid())
        self.side = innermost[0]

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(avg_pool2d(maps, maps.shape[2] // self.side))
