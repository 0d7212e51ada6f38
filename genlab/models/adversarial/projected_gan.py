"""Projected GAN's discriminator: Sauer et al. 2021, "Projected GANs converge faster"."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Count, PretrainedWeights
from genlab.models.layers.norm import NormName, norm2d
from genlab.models.layers.resample import UpsampleBilinear
from genlab.models.layers.spectral import normalise_spectrum
from genlab.models.pretrained_features import RESOLUTIONS, PretrainedFeatures, freeze

SMALLEST = 4  # largest side of the maps of logits, in pixels
STRIDE = 32  # of the smallest pretrained maps, in pixels of the input


class Discriminator(nn.Module):
    """(images [N, C, H, W], condition=None) -> logits [N, 4, h, w]: a small map from each of four discriminators.

    Each sees one resolution of a frozen network's features, which are mixed by random projections (section 3.2). The
    loss is the mean over all four, where equation 4 sums. Features are the discriminators' last maps.

    Raises ConfigError for images that the network does not take, and as `PretrainedFeatures` does.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        network: Callable[[], nn.Module],  # a classifier of torchvision.models, without weights
        weights: PretrainedWeights | None = None,  # a file; `download`; or `random`, as the network starts
        size: Count = 224,  # pixels a side of the network's input, a multiple of 32; as published
        width: Count = 64,  # channels of the largest mixed maps; doubled each time the side halves
        norm: NormName = "batch",
    ) -> None:
        super().__init__()
        refuse_unfit_images(spec, size)
        self.pretrained = PretrainedFeatures(network, weights, size)
        widths = [width << level for level in range(RESOLUTIONS)]
        self.mixing = Mixing(self.pretrained.channels, widths)
        side, extra = size // STRIDE, 0
        while side > SMALLEST:
            side, extra = side // 2, extra + 1
        self.shape = (widths[-1], side, side)
        ends = widths[-1:] * (1 + extra)
        self.bodies = nn.ModuleList(halving_convs(widths[level:-1] + ends, norm) for level in range(RESOLUTIONS))
        self.lasts = nn.ModuleList(nn.Conv2d(widths[-1], 1, 3, padding=1, bias=False) for _ in range(RESOLUTIONS))
        for part in (self.bodies, self.lasts):
            normalise_spectrum(part)

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return features [N, F]."""
        mixed = self.mixing(self.pretrained(images))
        return torch.cat([body(maps).flatten(1) for body, maps in zip(self.bodies, mixed, strict=True)], 1)

    def head(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return logits [N, 4, h, w] of features."""
        parts = features.unflatten(1, (RESOLUTIONS, *self.shape)).unbind(1)
        return torch.cat([last(maps) for last, maps in zip(self.lasts, parts, strict=True)], 1)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.head(self.features(images, condition), condition)


class Mixing(nn.Module):
    """Mix channels and resolutions of four maps, large to small, by fixed random convolutions: section 3.2.

    Each map goes through a 1x1 convolution, then adds the next smaller one, upsampled and through a 3x3 convolution.
    So no discriminator can rely on a subset of the features.
    """

    def __init__(self, channels: list[int], widths: list[int]) -> None:
        super().__init__()
        self.across = nn.ModuleList(
            random_conv(inputs, outputs, 1) for inputs, outputs in zip(channels, widths, strict=True)
        )
        self.up = nn.ModuleList(
            nn.Sequential(UpsampleBilinear(low), random_conv(low, high, 3)) for high, low in pairwise(widths)
        )
        freeze(self)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        mixed = [conv(features) for conv, features in zip(self.across, maps, strict=True)]
        for level in reversed(range(len(self.up))):
            mixed[level] = mixed[level] + self.up[level](mixed[level + 1])
        return mixed


def random_conv(inputs: int, outputs: int, side: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, side, padding=side // 2, bias=False)
    nn.init.kaiming_normal_(layer.weight)
    return layer


def halving_convs(widths: list[int], norm: NormName) -> nn.Sequential:
    """Return strided convolutions that halve the side once from each width to the next."""
    layers = nn.Sequential()
    for inputs, outputs in pairwise(widths):
        conv = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
        layers.extend([conv, *norm2d(norm, outputs), nn.LeakyReLU(0.2)])
    return layers


def refuse_unfit_images(spec: Spec, size: int) -> None:
    spec.require_images()
    if spec.condition_size:
        raise ConfigError("model.conditional=true: this discriminator is told no class. Set model.conditional=false.")
    if spec.channels not in (1, 3, 4):
        raise ConfigError(
            f"images of {spec.channels} channels: the pretrained network is shown 1, 3 or 4 (grey, colour, colour with "
            "alpha). Choose another model."
        )
    if size % STRIDE:
        nearest = max(1, round(size / STRIDE)) * STRIDE
        raise ConfigError(f"model.discriminator.size={size}: must be a multiple of {STRIDE}; use {nearest}.")
