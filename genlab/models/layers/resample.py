"""Bilinear resampling by two of each channel, with the taps 1, 3, 3, 1 along both axes and zeros outside."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d

TAPS = (1.0, 3.0, 3.0, 1.0)


class Bilinear(nn.Module):
    """Base of both directions: a depthwise convolution, since `interpolate` has no deterministic gradient on CUDA."""

    def __init__(self, channels: int, *, total: float) -> None:
        super().__init__()
        self.channels = channels
        taps = torch.tensor(TAPS)
        kernel = torch.outer(taps, taps)
        self.register_buffer("kernel", (kernel * total / kernel.sum())[None, None], persistent=False)

    @property
    def weight(self) -> Tensor:
        return self.kernel.expand(self.channels, -1, -1, -1)


class UpsampleBilinear(Bilinear):
    """[N, C, H, W] -> [N, C, 2H, 2W]."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, total=4)

    def forward(self, maps: Tensor) -> Tensor:
        return conv_transpose2d(maps, self.weight, stride=2, padding=1, groups=self.channels)


class DownsampleBilinear(Bilinear):
    """[N, C, 2H, 2W] -> [N, C, H, W], through the same low-pass filter."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, total=1)

    def forward(self, maps: Tensor) -> Tensor:
        return conv2d(maps, self.weight, stride=2, padding=1, groups=self.channels)
