"""Upsampling by two, with a convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d

# Along one axis, output 2i sees the taps (w0 | w1 + w2) of inputs i-1 and i, output 2i+1 sees
# (w0 + w1 | w2) of i and i+1. As the taps of a transposed convolution of stride 2 and padding 1:
FOLD = ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0))


class UpsampleConv2d(nn.Conv2d):
    """Nearest x2 upsampling and a 3x3 convolution, run as one 4x4 transposed convolution of stride 2.

    Same parameters and function as `Conv2d(3, padding=1)` after `Upsample(scale_factor=2)`, at 16/36 of
    its multiplications: [N, in, H, W] -> [N, out, 2H, 2W].
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=bias)
        self.register_buffer("fold", upsampling(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return upsample_conv2d(images, self.weight, self.bias, self.fold)


def upsampling() -> Tensor:
    """[9, 16]: the taps of a 3x3 convolution after upsampling -> those of the transposed one."""
    fold = torch.tensor(FOLD)
    return torch.kron(fold, fold).T.contiguous()


def upsample_conv2d(maps: Tensor, weight: Tensor, bias: Tensor | None, fold: Tensor) -> Tensor:
    """`weight` is that of the 3x3 convolution [out, in, 3, 3], `fold` is `upsampling()`."""
    folded = (weight.flatten(2) @ fold).unflatten(2, (4, 4)).transpose(0, 1)
    folded = folded.contiguous(memory_format=layout(weight))  # a layer's output lies as its weight does
    return conv_transpose2d(maps, folded, bias, stride=2, padding=1)


def layout(tensor: Tensor) -> torch.memory_format:
    channels_last = tensor.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if channels_last else torch.contiguous_format
