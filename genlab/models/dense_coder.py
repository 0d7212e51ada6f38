"""Fully connected encoders and decoders; without hidden layers, linear ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import Tensor, nn

from genlab.models.layers.condition import Concatenation
from genlab.spec import Spec
from genlab.types import Count


class Encoder(nn.Module):
    """(images [N, C, H, W] or points [N, D], condition=None) -> numbers [N, outputs]."""

    def __init__(
        self,
        spec: Spec,
        outputs: Count,
        *,
        widths: Sequence[Count] = (400, 200),  # of the hidden layers; none: linear
        silent_black: bool = False,  # images go in as 0 to 1: weights of black pixels then rest
    ) -> None:
        super().__init__()
        self.silent_black = silent_black
        self.condition = Concatenation(spec)
        self.layers = layers([prod(spec.shape) + self.condition.extra, *widths, outputs])

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        images = (images + 1) / 2 if self.silent_black else images
        return self.layers(self.condition(images.flatten(1), condition))


class Decoder(nn.Module):
    """(z [N, latent], condition=None) -> [N, C, H, W] or points [N, D], unbounded: a loss gives them their meaning."""

    def __init__(self, spec: Spec, latent_size: Count, *, widths: Sequence[Count] = (200, 400)) -> None:
        super().__init__()
        self.shape = spec.shape
        self.condition = Concatenation(spec)
        self.layers = layers([latent_size + self.condition.extra, *widths, prod(self.shape)])

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(self.condition(z, condition)).unflatten(1, self.shape)


def layers(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    stack = [module for pair in pairwise(sizes) for module in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(*stack[:-1])
