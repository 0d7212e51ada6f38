"""Resampling with a filter: insert zeros between samples, pad, apply a finite impulse response, keep every nth sample.

All upsampling, downsampling, blurs and low-pass filters of the style-based networks use `upfirdn2d`. It consists of
plain convolutions, which have gradients of any order on every device.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, pad

Padding = tuple[int, int, int, int]  # left, right, top, bottom, as torch pads


def binomial(taps: Sequence[float] = (1.0, 3.0, 3.0, 1.0)) -> Tensor:
    """Return a separable filter [T] of sum 1; by default that of Karras et al. 2020 (StyleGAN2)."""
    kernel = torch.tensor(taps, dtype=torch.float32)
    return kernel / kernel.sum()


def binomial2d(taps: Sequence[float] = (1.0, 3.0, 3.0, 1.0)) -> Tensor:
    """Return the same filter as a kernel [T, T]; one pass takes 0.6 to 0.9 of the time of two on a CPU."""
    return torch.outer(binomial(taps), binomial(taps))


def upfirdn2d(
    maps: Tensor,  # [N, C, H, W]
    kernel: Tensor,  # [T], for both axes one after another, or [T, U]
    *,
    up: int = 1,  # each sample is followed by up - 1 zeros, the last one too
    down: int = 1,  # every `down`th sample of the result is kept, from the first on
    padding: Padding = (0, 0, 0, 0),  # zeros outside, after the upsampling; negative: cut
    flip: bool = False,  # correlate in place of convolve: the same for symmetrical filters
    gain: float = 1.0,
) -> Tensor:
    """Return [N, C, (up H + top + bottom - T) // down + 1, the same of W], without partial overlaps.

    The operation of this name in Karras et al. 2020 (StyleGAN2), without a custom CUDA kernel.
    """
    left, right, top, bottom = padding
    kernel = kernel.to(maps)
    if kernel.ndim == 2:
        return _resample(maps, kernel * gain, (up, up), (down, down), padding, flip)
    maps = _resample(maps, kernel[None] * gain, (1, up), (1, down), (left, right, 0, 0), flip)
    return _resample(maps, kernel[:, None], (up, 1), (down, 1), (0, 0, top, bottom), flip)


def _resample(
    maps: Tensor, kernel: Tensor, up: tuple[int, int], down: tuple[int, int], padding: Padding, flip: bool
) -> Tensor:
    """Resample in one pass with a kernel [T, U]; pairs are (rows, columns)."""
    channels, (left, right, top, bottom) = maps.shape[1], padding
    weight = kernel.expand(channels, 1, *kernel.shape)
    if up == (1, 1):
        weight = weight if flip else weight.flip(2, 3)  # conv2d correlates
        return conv2d(_pad(maps, padding), weight, stride=down, groups=channels)
    # A transposed convolution adds a kernel for every sample and never multiplies the zeros between. It returns
    # every place that a kernel reaches, so the padding beyond the kernel's reach is added or cut.
    rows, columns = kernel.shape
    weight = weight.flip(2, 3) if flip else weight
    full = conv_transpose2d(maps, weight, stride=up, groups=channels)
    edges = (left - columns + 1, right + up[1] - columns, top - rows + 1, bottom + up[0] - rows)
    return _pad(full, edges)[:, :, :: down[0], :: down[1]]


def _pad(maps: Tensor, padding: Padding) -> Tensor:
    return pad(maps, padding) if any(padding) else maps


def upsample2d(maps: Tensor, kernel: Tensor, factor: int = 2) -> Tensor:
    """Upsample [N, C, H, W] to [N, C, factor H, factor W]; constants are kept except at the edges."""
    return upfirdn2d(maps, kernel, up=factor, padding=centring_padding(kernel, up=factor), gain=factor**2)


def downsample2d(maps: Tensor, kernel: Tensor, factor: int = 2) -> Tensor:
    """Downsample [N, C, H, W] to [N, C, H / factor, W / factor]."""
    return upfirdn2d(maps, kernel, down=factor, padding=centring_padding(kernel, down=factor))


def blur2d(maps: Tensor, kernel: Tensor) -> Tensor:
    """Blur [N, C, H, W], keeping its size."""
    return upfirdn2d(maps, kernel, padding=centring_padding(kernel))


def centring_padding(kernel: Tensor, *, up: int = 1, down: int = 1) -> Padding:
    """Return the padding that keeps the picture centred, its size scaled by up / down, for a kernel [T] or [T, U]."""
    rows, columns = kernel.shape[0], kernel.shape[-1]
    return (*_split_padding(columns, up, down), *_split_padding(rows, up, down))


def _split_padding(taps: int, up: int, down: int) -> tuple[int, int]:
    return (taps + up - down) // 2, (taps - max(up, down)) // 2
