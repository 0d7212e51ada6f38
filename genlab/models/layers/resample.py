"""Resampling by two: with a convolution, as one operation; by bilinear filters; and by pooling."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, conv_transpose2d

# Along one axis, output 2i uses the taps (w0 | w1 + w2) of inputs i-1 and i, output 2i+1 uses
# (w0 + w1 | w2) of i and i+1. As the taps of a transposed convolution of stride 2 and padding 1:
FOLD = ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0))


class UpsampleConv2d(nn.Conv2d):
    """Nearest x2 upsampling and a 3x3 convolution, run as one 4x4 transposed convolution of stride 2.

    Same parameters and function as `Conv2d(3, padding=1)` after `Upsample(scale_factor=2)`, at 16/36 of
    its multiplications: [N, in, H, W] -> [N, out, 2H, 2W].
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=bias)
        self.register_buffer("fold", upsampling_fold(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return upsample_conv2d(images, self.weight, self.bias, self.fold)


def upsampling_fold() -> Tensor:
    """Return the matrix [9, 16] from taps of a 3x3 convolution after upsampling to those of the 4x4 one for both."""
    fold = torch.tensor(FOLD)
    return torch.kron(fold, fold).T.contiguous()


def upsample_conv2d(maps: Tensor, weight: Tensor, bias: Tensor | None, fold: Tensor) -> Tensor:
    """Upsample and convolve by `weight` [out, in, 3, 3] in one operation; `fold` is `upsampling_fold()`."""
    folded = (weight.flatten(2) @ fold).unflatten(2, (4, 4)).transpose(0, 1)
    folded = folded.contiguous(memory_format=memory_format_of(weight))  # outputs take the weight's memory format
    return conv_transpose2d(maps, folded, bias, stride=2, padding=1)


def memory_format_of(tensor: Tensor) -> torch.memory_format:
    channels_last = tensor.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if channels_last else torch.contiguous_format


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
