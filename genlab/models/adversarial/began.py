"""BEGAN's encoder and decoder, 3x3 convolutions with ELUs: Berthelot et al. 2017, figure 1."""

from math import prod

from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.layers.concatenation import ConcatenatedMaps, Concatenation
from genlab.models.layers.resample import UpsampleConv2d
from genlab.models.map_sizes import innermost_map


class Encoder(nn.Module):
    """(images [N, C, H, W], condition=None) -> code [N, outputs]; each halving of the side adds `width` channels."""

    def __init__(
        self,
        spec: Spec,
        outputs: Count,
        *,
        width: Count = 64,  # channels of the largest map
        blocks: Count = 2,  # convolutions at each size
    ) -> None:
        super().__init__()
        innermost, halvings = innermost_map(spec)
        self.condition = ConcatenatedMaps(spec)
        self.layers = nn.Sequential(conv(spec.channels + self.condition.extra, width), nn.ELU())
        for level in range(1, halvings + 1):
            self.layers.extend(convs(width * level, blocks))
            self.layers.extend([conv(width * level, width * (level + 1), stride=2), nn.ELU()])
        self.layers.extend(convs(width * (halvings + 1), blocks))
        self.layers.extend([nn.Flatten(), nn.Linear(width * (halvings + 1) * prod(innermost), outputs)])

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(self.condition(images, condition))


class Decoder(nn.Module):
    """(code [N, latent], condition=None) -> images [N, C, H, W], unbounded; `width` channels at every size.

    The generator has the same architecture.
    """

    def __init__(self, spec: Spec, latent_size: Count, *, width: Count = 64, blocks: Count = 2) -> None:
        super().__init__()
        innermost, halvings = innermost_map(spec)
        self.condition = Concatenation(spec)
        first = nn.Linear(latent_size + self.condition.extra, width * prod(innermost))
        self.layers = nn.Sequential(first, nn.Unflatten(1, (width, *innermost)), *convs(width, blocks))
        for _ in range(halvings):
            self.layers.extend([UpsampleConv2d(width, width), nn.ELU(), *convs(width, blocks - 1)])
        self.layers.append(conv(width, spec.channels))

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(self.condition(z, condition))


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)


def convs(width: int, count: int) -> list[nn.Module]:
    return [layer for _ in range(count) for layer in (conv(width, width), nn.ELU())]
