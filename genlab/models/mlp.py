"""Fully connected networks on flattened images: the plain GAN of Goodfellow et al. 2014, with today's activations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import Tensor, nn

from genlab.models.layers.norm import NormName, norm1d
from genlab.spec import Spec
from genlab.types import Count, NonNegative


class Generator(nn.Module):
    """(z [N, latent]) -> images [N, C, H, W] in [-1, 1]."""

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        widths: Sequence[Count] = (128, 256, 512),
        norm: NormName = "none",  # after every hidden layer but the first
        slope: NonNegative = 0.2,  # of LeakyReLU below zero
    ) -> None:
        super().__init__()
        self.shape = spec.shape
        hidden = hidden_layers([latent_size, *widths], norm, slope)
        self.layers = nn.Sequential(*hidden, nn.Linear(widths[-1], prod(self.shape)), nn.Tanh())

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(z).unflatten(1, self.shape)


class Discriminator(nn.Module):
    """(images [N, C, H, W]) -> logits [N]."""

    def __init__(
        self,
        spec: Spec,
        *,
        widths: Sequence[Count] = (512, 256, 128),
        norm: NormName = "none",
        slope: NonNegative = 0.2,
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(*hidden_layers([prod(spec.shape), *widths], norm, slope), nn.Linear(widths[-1], 1))

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(images.flatten(1)).squeeze(1)


def hidden_layers(sizes: Sequence[int], norm: NormName, slope: float) -> list[nn.Module]:
    layers = []
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        layers += [nn.Linear(inputs, outputs), *norm1d("none" if index == 0 else norm, outputs), nn.LeakyReLU(slope)]
    return layers
