"""Convolutional encoder and decoder, which halve and double the side as DCGAN's networks do."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.layers.concatenation import ConcatenatedMaps, Concatenation
from genlab.models.layers.norm import NormName, norm2d
from genlab.models.map_sizes import innermost_map


class Encoder(nn.Module):
    """(images [N, C, H, W], condition=None) -> numbers [N, outputs]: halves the side to between 4 and 7 pixels."""

    def __init__(
        self,
        spec: Spec,
        outputs: Count,
        *,
        width: Count = 32,  # channels of the largest map; doubled each time the side halves
        norm: NormName = "none",
    ) -> None:
        super().__init__()
        innermost, sizes = plan_maps(spec, width)
        self.condition = ConcatenatedMaps(spec)
        self.layers = nn.Sequential()
        for inputs, outs in pairwise([spec.channels + self.condition.extra, *sizes]):
            self.layers.extend([nn.Conv2d(inputs, outs, 4, stride=2, padding=1), *norm2d(norm, outs), nn.ReLU()])
        self.layers.extend([nn.Flatten(), nn.Linear(sizes[-1] * prod(innermost), outputs)])

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(self.condition(images, condition))


class Decoder(nn.Module):
    """(z [N, latent], condition=None) -> [N, C, H, W], unbounded: the encoder's layers in reverse."""

    def __init__(self, spec: Spec, latent_size: Count, *, width: Count = 32, norm: NormName = "none") -> None:
        super().__init__()
        innermost, sizes = plan_maps(spec, width)
        self.condition = Concatenation(spec)
        first = nn.Linear(latent_size + self.condition.extra, sizes[-1] * prod(innermost))
        self.layers = nn.Sequential(first, nn.Unflatten(1, (sizes[-1], *innermost)))
        for inputs, outs in pairwise([*reversed(sizes), spec.channels]):
            double = nn.ConvTranspose2d(inputs, outs, 4, stride=2, padding=1)
            self.layers.extend([*norm2d(norm, inputs), nn.ReLU(), double])

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(self.condition(z, condition))


def plan_maps(spec: Spec, width: int) -> tuple[tuple[int, int], Sequence[int]]:
    """Return (height, width) of the innermost map, and the channels of all maps from the largest to it."""
    innermost, halvings = innermost_map(spec)
    return innermost, [width << level for level in range(halvings)]
