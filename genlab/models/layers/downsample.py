"""Downsampling by two: a convolution with average pooling, and plain pooling."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d

from genlab.models.layers.upsample import FOLD, memory_format_of


class ConvDownsample2d(nn.Conv2d):
    """A 3x3 convolution and 2x2 average pooling, run as one 4x4 convolution of stride 2.

    Same parameters and function as `AvgPool2d(2)` after `Conv2d(3, padding=1)`, at 16/36 of its
    multiplications: [N, in, 2H, 2W] -> [N, out, H, W].
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=bias)
        self.register_buffer("fold", downsampling_fold(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return conv2d_downsample(images, self.weight, self.bias, self.fold)


def downsampling_fold() -> Tensor:
    """Return the matrix [9, 16] from taps of a 3x3 convolution before pooling to those of the 4x4 one for both."""
    # Along one axis, output i is half of (w0 | w0 + w1 | w1 + w2 | w2) of inputs 2i-1 ... 2i+2:
    # the taps of upsampling, in reverse.
    fold = torch.tensor(FOLD).flip(0) / 2
    return torch.kron(fold, fold).T.contiguous()


def conv2d_downsample(maps: Tensor, weight: Tensor, bias: Tensor | None, fold: Tensor) -> Tensor:
    """Convolve by `weight` [out, in, 3, 3] and pool 2x2 in one convolution; `fold` is `downsampling_fold()`."""
    folded = (weight.flatten(2) @ fold).unflatten(2, (4, 4))
    return conv2d(maps, folded.contiguous(memory_format=memory_format_of(weight)), bias, stride=2, padding=1)


def halve(pictures: Tensor) -> Tensor:
    """Halve [N, C, H, W] to [N, C, H / 2, W / 2], rounded up, by means of 3 x 3 pixels (fewer at the edges)."""
    return avg_pool2d(pictures, 3, stride=2, padding=1, count_include_pad=False)
