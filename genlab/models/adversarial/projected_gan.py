"""Projected GAN's discriminator: Sauer et al. 2021, "Projected GANs converge faster", and their code."""

import warnings
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Count, PretrainedWeights
from genlab.models.layers.norm import NormName, norm2d
from genlab.models.layers.spectral import normalise_spectrum
from genlab.models.pretrained_features import RESOLUTIONS, PretrainedFeatures, freeze

LAST_KERNEL = 4  # pixels a side of the last kernel, or as many as its maps have
STRIDE = 32  # of the smallest pretrained maps, in pixels of the input
MULTIPLES = (1, 1, 2, 4, 8)  # of `width`: channels of maps of 1/2, 1/4, ..., 1/32 of the input's side


class Discriminator(nn.Module):
    """(images [N, C, H, W], condition=None) -> logits [N, 4, h, w]: a small map from each of four discriminators.

    Each sees one resolution of a frozen network's features, which are mixed by random projections (section 3.2). The
    loss is the mean over all four, where equation 4 sums. Features are the discriminators' last maps.

    Images are enlarged to at least `size` pixels and to a multiple of 32, and never made smaller, which would hide
    pixels from the network.

    Raises ConfigError for images that the network does not take, and as `PretrainedFeatures` does.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        network: Callable[[], nn.Module],  # a classifier of torchvision.models, without weights
        weights: PretrainedWeights | None = None,  # a file; `download`; or `random`, as the network starts
        size: Count = 224,  # fewest pixels a side of the network's input, a multiple of 32; as published
        width: Count = 64,  # channels of the largest mixed maps; doubled each time the side halves, from the second on
        norm: NormName = "batch",
    ) -> None:
        super().__init__()
        refuse_unfit_images(spec, size)
        sides = [max(size, -(-side // STRIDE) * STRIDE) for side in (spec.height, spec.width)]
        widths = [multiple * width for multiple in MULTIPLES]
        self.pretrained = PretrainedFeatures(network, weights, sides)
        self.mixing = Mixing(self.pretrained.channels, widths[:-1])
        self.shape = (widths[-1], *(side // STRIDE for side in sides))
        self.bodies = nn.ModuleList(halving_convs(widths[level:], norm) for level in range(RESOLUTIONS))
        kernel = [min(LAST_KERNEL, side) for side in self.shape[1:]]
        self.lasts = nn.ModuleList(nn.Conv2d(widths[-1], 1, kernel, bias=False) for _ in range(RESOLUTIONS))
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

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Load a state dict; that of a run made before mixing followed the published code is left, and this is told."""
        if any(name.startswith("mixing.up.") for name in state_dict):
            warnings.warn(
                "The checkpoint's discriminator mixes features by 3x3 convolutions, as it did before it followed the "
                "authors' code. Its weights fit no longer and are left out; samples do not depend on them.",
                stacklevel=2,
            )
            state_dict = self.state_dict()
        return super().load_state_dict(state_dict, strict, assign)


class Mixing(nn.Module):
    """Mix channels and resolutions of four maps, large to small, by fixed random 1x1 convolutions: section 3.2.

    Each map goes through a convolution and adds the mixture below; the sum is doubled in size, and goes through another
    one to `widths` channels. So no discriminator can rely on a subset of the features.
    """

    def __init__(self, channels: list[int], widths: list[int]) -> None:
        super().__init__()
        inner = [*widths[1:], 2 * widths[-1]]
        self.across = nn.ModuleList(nn.Conv2d(*pair, 1) for pair in zip(channels, inner, strict=True))
        self.out = nn.ModuleList(nn.Conv2d(*pair, 1) for pair in zip(inner, widths, strict=True))
        freeze(self)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        mixed: list[Tensor] = []
        for features, across, out in reversed(list(zip(maps, self.across, self.out, strict=True))):
            total = across(features) + (mixed[-1] if mixed else 0)
            # The authors double first: the same function of a 1x1 convolution, at four times the cost.
            mixed.append(interpolate(out(total), scale_factor=2, mode="bilinear", align_corners=True))
        return mixed[::-1]


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
