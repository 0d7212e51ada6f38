"""Resampling with a filter: zeros between samples, padding, a finite impulse response, and only every nth sample kept.

Every up- and downsampling, blur and low-pass filter of the style-based networks goes through `upfirdn2d`, in plain
convolutions, which have gradients of any order on every device.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, pad

Padding = tuple[int, int, int, int]  # left, right, top, bottom, as torch pads


def binomial(taps: Sequence[float] = (1.0, 3.0, 3.0, 1.0)) -> Tensor:
    """A separable filter [T] of sum 1; by default the one of Karras et al. 2020 (StyleGAN2)."""
    kernel = torch.tensor(taps, dtype=torch.float32)
    return kernel / kernel.sum()


def binomial2d(taps: Sequence[float] = (1.0, 3.0, 3.0, 1.0)) -> Tensor:
    """[T, T], the same filter: so few taps take less time in one pass (0.6 to 0.9 of it on a CPU)."""
    return torch.outer(binomial(taps), binomial(taps))


def upfirdn2d(
    maps: Tensor,  # [N, C, H, W]
    kernel: Tensor,  # [T], for both axes one after another, or [T, U]
    *,
    up: int = 1,  # each sample is followed by up - 1 zeros, the last one too
    down: int = 1,  # of the result every `down`th sample is kept, the first one too
    padding: Padding = (0, 0, 0, 0),  # zeros outside, after the upsampling; negative: cut
    flip: bool = False,  # correlate in place of convolve: the same for symmetrical filters
    gain: float = 1.0,
) -> Tensor:
    """[N, C, (up H + top + bottom - T) // down + 1, the same of W]: the convolution is kept where it is complete.

    As the operation of that name in Karras et al. 2020 (StyleGAN2), without an extension of its own.
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
    """One pass with a kernel [T, U]; pairs are of (rows, columns)."""
    channels, (left, right, top, bottom) = maps.shape[1], padding
    weight = kernel.expand(channels, 1, *kernel.shape)
    if up == (1, 1):
        weight = weight if flip else weight.flip(2, 3)  # conv2d correlates
        return conv2d(_padded(maps, padding), weight, stride=down, groups=channels)
    # A transposed convolution adds up a kernel for every sample, zeros between them never multiplied. It gives
    # every place that a kernel reaches: padding that is not the kernel's own is added or cut.
    rows, columns = kernel.shape
    weight = weight.flip(2, 3) if flip else weight
    full = conv_transpose2d(maps, weight, stride=up, groups=channels)
    edges = (left - columns + 1, right + up[1] - columns, top - rows + 1, bottom + up[0] - rows)
    return _padded(full, edges)[:, :, :: down[0], :: down[1]]


def _padded(maps: Tensor, padding: Padding) -> Tensor:
    return pad(maps, padding) if any(padding) else maps


def upsample2d(maps: Tensor, kernel: Tensor, factor: int = 2) -> Tensor:
    """[N, C, H, W] -> [N, C, factor H, factor W]; a constant stays the same but for the edges."""
    return upfirdn2d(maps, kernel, up=factor, padding=centred(kernel, up=factor), gain=factor**2)


def downsample2d(maps: Tensor, kernel: Tensor, factor: int = 2) -> Tensor:
    """[N, C, H, W] -> [N, C, H / factor, W / factor]."""
    return upfirdn2d(maps, kernel, down=factor, padding=centred(kernel, down=factor))


def blur2d(maps: Tensor, kernel: Tensor) -> Tensor:
    """[N, C, H, W], the same size."""
    return upfirdn2d(maps, kernel, padding=centred(kernel))


def centred(kernel: Tensor, *, up: int = 1, down: int = 1) -> Padding:
    """What keeps the picture where it is, its size changed by up / down alone, for a kernel [T] or [T, U]."""
    rows, columns = kernel.shape[0], kernel.shape[-1]
    return (*_around(columns, up, down), *_around(rows, up, down))


def _around(taps: int, up: int, down: int) -> tuple[int, int]:
    return (taps + up - down) // 2, (taps - max(up, down)) // 2
