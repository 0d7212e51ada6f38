"""The smallest network that is all that a style-based generator is, for tests of what is done with them."""

import torch
from torch import nn
from torch.nn.functional import interpolate, leaky_relu

from genlab.models.layers.equalised import EqualisedConv2d, EqualisedLinear
from genlab.models.layers.mapping import Mapping
from genlab.models.layers.noise import Noise
from genlab.models.style_based.style_generator import StyleGenerator


class Layer(nn.Module):
    """Modulated maps, a convolution, noise."""

    def __init__(self, style, channels, size):
        super().__init__()
        self.affine = EqualisedLinear(style, channels, start=1.0)
        self.conv, self.noise = EqualisedConv2d(channels, channels), Noise(size)
        nn.init.constant_(self.noise.strength, 0.3)

    def forward(self, maps, style):
        return leaky_relu(self.noise(self.conv(maps * self.affine(style)[:, :, None, None])), 0.2)


class TinyStyle(StyleGenerator):
    """Six layers, the last three at twice the side; the picture follows from the last maps and their style."""

    def __init__(self, spec, latent_size, *, style=6, width=4, layers=6):
        super().__init__(Mapping(spec, latent_size, size=style, depth=2, rate=1.0), layers=layers, mixing=0.5)
        half = (spec.height // 2, spec.width // 2)
        sizes = [half if layer < layers // 2 else (spec.height, spec.width) for layer in range(layers)]
        self.constant = nn.Parameter(torch.randn(width, *half))
        self.synthesis_layers = nn.ModuleList(Layer(style, width, size) for size in sizes)
        self.last = EqualisedConv2d(width, spec.channels, 1)

    def synthesis(self, styles):
        maps = self.constant.expand(len(styles), *self.constant.shape)
        for number, (layer, style) in enumerate(zip(self.synthesis_layers, styles.unbind(1), strict=True)):
            if number == self.layers // 2:
                maps = interpolate(maps, scale_factor=2)
            maps = layer(maps, style)
        return self.last(maps).tanh()
