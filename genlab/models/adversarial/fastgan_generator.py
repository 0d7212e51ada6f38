"""FastGAN's generator: Liu et al. 2021, "Towards faster and stabilized GAN training", section 3.1, and their code."""

from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.adversarial.dcgan import init_normal
from genlab.models.layers.concatenation import Concatenation
from genlab.models.layers.first_and_last import FromVector
from genlab.models.layers.noise import Noise
from genlab.models.layers.resample import UpsampleConv2d
from genlab.models.map_sizes import innermost_map

MULTIPLES = (16, 8, 4, 2, 2, 1, 1 / 2, 1 / 4, 1 / 8)  # of `width`: channels of maps of 4, 8, ..., 1024 pixels
DOUBLINGS_APART = 4  # between a map and the one whose channels it scales; at most all
LAST_EXCITED = 7  # doublings of the largest map whose channels are scaled: 512 pixels
COPY_DOUBLINGS = 5  # of the small copy's side: 128 pixels


class Generator(nn.Module):
    """(z [N, latent], condition=None) -> images [N, C, H, W]; in training [N, 2C, H, W], with a small copy of each.

    The side is doubled until it is the data's: by one convolution, then by two with noise, in turn. Small maps scale
    the channels of large ones (skip-layer excitation). The small copy is drawn from an earlier map, of half the side
    and of at most 128 pixels (up to 224 where sides are no power of two), for the discriminator's second half; it is
    enlarged behind the image. An embedded condition is appended to z. The published code normalises all weights
    spectrally (model.spectral_norm) and has 256 pixels or more; smaller images have fewer doublings, and where these
    are not four, the first map scales the last.
    """

    unbounded: ClassVar[bool] = True  # as published up to 512 pixels, nothing but training holds images to [-1, 1]

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        width: Count = 64,  # channels of maps of 128 pixels a side
        output: Literal["linear", "tanh"] = "linear",  # the published code has tanh at 1024 pixels alone
    ) -> None:
        super().__init__()
        (height, breadth), doublings = innermost_map(spec)
        widths = plan_widths(width, doublings)
        self.condition, self.copy_factor = Concatenation(spec), copy_factor(spec)
        first = FromVector(latent_size + self.condition.extra, 2 * widths[0], (height, breadth), bias=False)
        self.first = nn.Sequential(*gate(first, widths[0]))
        self.blocks = nn.ModuleList(
            up_block(*pair, (height << level, breadth << level), noisy=level % 2 == 1)
            for level, pair in enumerate(pairwise(widths), start=1)
        )
        self.apart = min(DOUBLINGS_APART, doublings)
        excited = range(self.apart, min(doublings, LAST_EXCITED) + 1)
        self.excitations = nn.ModuleDict(
            {str(level): Excitation(widths[level - self.apart], widths[level], (height, breadth)) for level in excited}
        )
        self.copy_level = doublings - (self.copy_factor.bit_length() - 1)
        self.to_copy = nn.Conv2d(widths[self.copy_level], spec.channels, 1, bias=False)
        self.to_image = nn.Conv2d(widths[-1], spec.channels, 3, padding=1, bias=False)
        self.output = nn.Tanh() if output == "tanh" else nn.Identity()
        self.apply(init_normal)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        maps = [self.first(self.condition(z, condition)[:, :, None, None])]
        for level, block in enumerate(self.blocks, start=1):
            high = block(maps[-1])
            if str(level) in self.excitations:
                high = high * self.excitations[str(level)](maps[level - self.apart])
            maps.append(high)
        images = self.output(self.to_image(maps[-1]))
        return self.join(images, self.output(self.to_copy(maps[self.copy_level]))) if self.training else images

    def join(self, images: Tensor, copies: Tensor) -> Tensor:
        """Return images with their small copies, enlarged, behind them: [N, 2C, H, W]."""
        return torch.cat([images, interpolate(copies, scale_factor=self.copy_factor)], 1)

    def build_pyramid(self, images: Tensor) -> Tensor:
        """Return real images in that form; the copies are every so many pixels, as in the published code."""
        return self.join(images, shrink(images, self.copy_factor))


def copy_factor(spec: Spec) -> int:
    """Return how many times smaller an image's copy is than the image."""
    return 1 << max(1, innermost_map(spec)[1] - COPY_DOUBLINGS)


def shrink(images: Tensor, factor: int) -> Tensor:
    """Return every `factor`-th pixel of images [N, C, H, W] along both sides."""
    return images[:, :, ::factor, ::factor]


def plan_widths(width: int, doublings: int) -> list[int]:
    """Return the channels of every map, from the smallest on; those beyond 1024 pixels are as many as there."""
    widths = [max(1, int(multiple * width)) for multiple in MULTIPLES[: doublings + 1]]
    return widths + widths[-1:] * (doublings + 1 - len(widths))


def up_block(inputs: int, outputs: int, size: tuple[int, int], *, noisy: bool = True) -> nn.Sequential:
    """Double the side to `size`: [N, in, h, w] -> [N, out, 2h, 2w]; `noisy`: by two convolutions with noise."""
    up = UpsampleConv2d(inputs, 2 * outputs, bias=False)
    if not noisy:
        return nn.Sequential(*gate(up, outputs))
    return nn.Sequential(
        *gate(up, outputs, Noise(size)),
        *gate(nn.Conv2d(outputs, 2 * outputs, 3, padding=1, bias=False), outputs, Noise(size)),
    )


def gate(layer: nn.Module, outputs: int, *noise: nn.Module) -> list[nn.Module]:
    """Return `layer`, of 2 x `outputs` channels, noise, batch normalisation and a gated linear unit."""
    return [layer, *noise, nn.BatchNorm2d(2 * outputs), nn.GLU(dim=1)]


class Excitation(nn.Sequential):
    """[N, low, h, w] -> a factor [N, high, 1, 1] for each channel of other maps: equation 1."""

    def __init__(self, low: int, high: int, innermost: tuple[int, int]) -> None:
        squeeze, scale = nn.Conv2d(low, high, innermost, bias=False), nn.Conv2d(high, high, 1, bias=False)
        super().__init__(squeeze, nn.SiLU(), scale, nn.Sigmoid())
        self.side = innermost[0]

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(avg_pool2d(maps, maps.shape[2] // self.side))
