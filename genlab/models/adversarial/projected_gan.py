"""Projected GAN's discriminator: Sauer et al. 2021, "Projected GANs converge faster"."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.layers.norm import NormName, norm2d
from genlab.models.layers.resample import UpsampleBilinear
from genlab.models.layers.spectral import normalise_spectrum
from genlab.models.pretrained_features import RESOLUTIONS, Pretrained, freeze

SMALLEST = 4  # pixels a side of the maps of logits, at most
STRIDE = 32  # of the smallest pretrained maps


class Discriminator(nn.Module):
    """(images [N, C, H, W], condition=None) -> logits [N, 4, h, w]: a small map from each of four discriminators.

    Each sees another resolution of a frozen network's features, which are mixed at random (section 3.2); the loss is
    the mean over all (equation 4, which sums). Features are the discriminators' last maps.

    Raises ConfigError for images that the network cannot be shown, and what `Pretrained` raises.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        network: Callable[[], nn.Module],  # a classifier of torchvision.models, without weights
        weights: str | None = None,  # a file; `download`; or `random`, as the network starts
        size: Count = 224,  # pixels a side that the network is shown, a multiple of 32; as published
        width: Count = 64,  # channels of the largest mixed maps; doubled each time the side halves
        norm: NormName = "batch",
    ) -> None:
        super().__init__()
        check(spec, size)
        self.pretrained = Pretrained(network, weights, size)
        widths = [width << level for level in range(RESOLUTIONS)]
        self.mixing = Mixing(self.pretrained.channels, widths)
        side, extra = size // STRIDE, 0
        while side > SMALLEST:
            side, extra = side // 2, extra + 1
        self.shape = (widths[-1], side, side)
        self.bodies = nn.ModuleList(body(widths[level:] + widths[-1:] * extra, norm) for level in range(RESOLUTIONS))
        self.lasts = nn.ModuleList(nn.Conv2d(widths[-1], 1, 3, padding=1, bias=False) for _ in range(RESOLUTIONS))
        for part in (self.bodies, self.lasts):
            normalise_spectrum(part)

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """[N, F]."""
        mixed = self.mixing(self.pretrained(images))
        return torch.cat([body(maps).flatten(1) for body, maps in zip(self.bodies, mixed, strict=True)], 1)

    def head(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """Logits of features."""
        parts = features.unflatten(1, (RESOLUTIONS, *self.shape)).unbind(1)
        return torch.cat([last(maps) for last, maps in zip(self.lasts, parts, strict=True)], 1)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.head(self.features(images, condition), condition)


class Mixing(nn.Module):
    """Four maps, large to small, whose channels and resolutions are mixed at random, once for all: section 3.2.

    A 1x1 convolution each; then every map adds the one below it, upsampled and through a 3x3 convolution. No
    discriminator can so look at a part of the features alone.
    """

    def __init__(self, channels: list[int], widths: list[int]) -> None:
        super().__init__()
        self.across = nn.ModuleList(
            random(inputs, outputs, 1) for inputs, outputs in zip(channels, widths, strict=True)
        )
        self.up = nn.ModuleList(
            nn.Sequential(UpsampleBilinear(low), random(low, high, 3)) for high, low in pairwise(widths)
        )
        freeze(self)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        mixed = [conv(features) for conv, features in zip(self.across, maps, strict=True)]
        for level in reversed(range(len(self.up))):
            mixed[level] = mixed[level] + self.up[level](mixed[level + 1])
        return mixed


def random(inputs: int, outputs: int, side: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, side, padding=side // 2, bias=False)
    nn.init.kaiming_normal_(layer.weight)
    return layer


def body(widths: list[int], norm: NormName) -> nn.Sequential:
    """Halves the side once for each change of width."""
    layers = nn.Sequential()
    for inputs, outputs in pairwise(widths):
        conv = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
        layers.extend([conv, *norm2d(norm, outputs), nn.LeakyReLU(0.2)])
    return layers


def check(spec: Spec, size: int) -> None:
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
