"""Spatially adaptive normalisation (SPADE): Park et al. 2019, section 3."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from genlab.models.layers.batch_norm import BatchNorm2d
from genlab.models.layers.instance_norm import InstanceNorm2d
from genlab.models.layers.weights import set_apart

NormName = Literal["batch", "instance"]


class SPADE(nn.Module):
    """(maps [N, C, h, w], source [N, S, H, W]) -> maps of the same shape: equation 1.

    After normalisation every position is scaled by 1 + gain and shifted by bias, which convolutions compute from the
    source there, resized by nearest neighbour. Spectral normalisation skips these convolutions, so that labels can
    scale maps freely.
    """

    def __init__(
        self,
        channels: int,
        source: int,  # channels of the source
        *,
        hidden: int,  # channels of the maps that gain and bias are computed from
        norm: NormName = "batch",
    ) -> None:
        super().__init__()
        self.norm = BatchNorm2d(channels, affine=False) if norm == "batch" else InstanceNorm2d(channels)
        self.look = nn.Sequential(set_apart_conv(source, hidden), nn.ReLU())
        self.gain, self.bias = set_apart_conv(hidden, channels), set_apart_conv(hidden, channels)

    def forward(self, maps: Tensor, source: Tensor) -> Tensor:
        hidden = self.look(resize_nearest(source, maps.shape[2:]))
        return torch.addcmul(self.bias(hidden), self.norm(maps), 1 + self.gain(hidden))


class SPADEBlock(nn.Module):
    """(maps [N, in, h, w], source [N, S, H, W]) -> [N, out, h, w]: figure 4.

    The skip connection is learned where in differs from out.
    """

    def __init__(self, inputs: int, outputs: int, source: int, *, hidden: int, norm: NormName = "batch") -> None:
        super().__init__()
        middle, options = min(inputs, outputs), {"hidden": hidden, "norm": norm}
        self.norm1, self.conv1 = SPADE(inputs, source, **options), nn.Conv2d(inputs, middle, 3, padding=1)
        self.norm2, self.conv2 = SPADE(middle, source, **options), nn.Conv2d(middle, outputs, 3, padding=1)
        self.learned = inputs != outputs
        if self.learned:
            self.norm_skip = SPADE(inputs, source, **options)
            self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, maps: Tensor, source: Tensor) -> Tensor:
        inner = self.conv1(leaky_relu(self.norm1(maps, source), 0.2))
        inner = self.conv2(leaky_relu(self.norm2(inner, source), 0.2))
        return inner + (self.skip(self.norm_skip(maps, source)) if self.learned else maps)


def resize_nearest(source: Tensor, size: tuple[int, int]) -> Tensor:
    return source if source.shape[2:] == size else interpolate(source, size=size, mode="nearest")


def set_apart_conv(inputs: int, outputs: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, 3, padding=1)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return set_apart(layer)
