"""StyleGAN's generator: Karras et al. 2019, "A style-based generator architecture", figure 1b.

The discriminator is ProGAN's with blurred resampling: `progan.Discriminator(blur=True)`.
"""

from itertools import islice, pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from genlab.core.spec import Spec
from genlab.core.types import Count, Positive, Share
from genlab.models.layers.equalised import HE, EqualisedConv2d, EqualisedLinear
from genlab.models.layers.equalised_resample import Blur, EqualisedUpConv2d
from genlab.models.layers.mapping import Mapping
from genlab.models.layers.noise import Noise
from genlab.models.style_based.growing import SMALLEST, GrowingGenerator, widths
from genlab.models.style_based.style_generator import StyleGenerator


class Generator(GrowingGenerator, StyleGenerator):
    """(z [N, latent], condition=None) -> images [N, C, H, W], as large as it has grown, from a learned constant.

    Each size has two layers, which take a style each; `layers` counts those up to the current size.
    """

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        width: Count = 32,  # channels of the largest map; twice as many each time the side halves
        most: Count = 128,  # channels of any map
        style_size: Count = 128,  # of w
        depth: Count = 8,  # layers of the mapping
        mapping_rate: Positive = 0.01,  # learning rate of the mapping relative to other layers: appendix C
        mixing: Share = 0.9,  # share of training images with two styles: appendix C
        style_strength: Share = 1.0,  # alpha of AdaIN; 0: styles have no effect
        truncated_layers: Count | None = 8,  # first layers that truncation changes, those up to 32 pixels: appendix B
    ) -> None:
        sizes = widths(spec, width, most)
        mapping = Mapping(spec, latent_size, size=style_size, depth=depth, rate=mapping_rate, bias_gain=1.0)
        super().__init__(mapping, layers=2 * len(sizes), mixing=mixing, truncated_layers=truncated_layers)
        self.constant = nn.Parameter(torch.ones(sizes[0], SMALLEST, SMALLEST))
        firsts = [nn.Identity(), *(Doubling(*pair) for pair in pairwise(sizes))]
        style_options = {"style_size": style_size, "alpha": style_strength}
        self.blocks = nn.ModuleList(
            Block(first, channels, SMALLEST << level, **style_options)
            for level, (first, channels) in enumerate(zip(firsts, sizes, strict=True))
        )
        self.to_images = nn.ModuleList(EqualisedConv2d(channels, spec.channels, 1) for channels in sizes)
        self.start_fully_grown(len(sizes) - 1)

    def grow(self, level: float) -> None:
        super().grow(level)
        self.layers = 2 * (self.stage + 1)

    def synthesis(self, styles: Tensor) -> Tensor:
        maps = below = self.constant.expand(len(styles), -1, -1, -1)
        for level, block in enumerate(islice(self.blocks, self.stage + 1)):
            below, maps = maps, block(maps, *styles[:, 2 * level : 2 * level + 2].unbind(1))
        return self.to_image(below, maps)


class Doubling(nn.Sequential):
    """[N, inputs, H, W] -> [N, outputs, 2H, 2W], blurred: section 2."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(EqualisedUpConv2d(inputs, outputs, bias=False, gain=HE), Blur())


class Block(nn.Module):
    """(maps, style, style) -> maps: the layers of one size, to which `first` brings the maps."""

    def __init__(self, first: nn.Module, channels: int, side: int, *, style_size: int, alpha: float) -> None:
        super().__init__()
        self.first, self.second = first, EqualisedConv2d(channels, channels, bias=False, gain=HE)
        self.styled = nn.ModuleList(StyleLayer(channels, side, style_size, alpha) for _ in range(2))

    def forward(self, maps: Tensor, style: Tensor, other: Tensor) -> Tensor:
        maps = self.styled[0](self.first(maps), style)
        return self.styled[1](self.second(maps), other)


class StyleLayer(nn.Module):
    """(maps [N, C, H, W], style [N, W]) -> noise, bias, leaky ReLU, AdaIN -> [N, C, H, W]."""

    def __init__(self, channels: int, side: int, style_size: int, alpha: float) -> None:
        super().__init__()
        self.noise = Noise((side, side), channels)
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))
        self.adain = AdaIN(style_size, channels, alpha=alpha)

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        return self.adain(leaky_relu(self.noise(maps) + self.bias, 0.2), style)


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
