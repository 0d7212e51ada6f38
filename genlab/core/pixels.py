"""The conversion between 8-bit pixels, 0 ... 255, and network values in [-1, 1]."""

import torch
from torch import Tensor


def to_uint8(images: Tensor) -> Tensor:
    """Convert [-1, 1] to 0 ... 255. Values outside saturate, infinite ones too; nan is undefined."""
    return _to_levels(images).to(torch.uint8)


def to_float(pixels: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Convert 0 ... 255 to [-1, 1], by division."""
    return pixels.to(dtype) / 127.5 - 1


def as_saved(images: Tensor) -> Tensor:
    """Round float images to the values an 8-bit file would hold; nan stays nan."""
    return to_float(_to_levels(images))


def network_values(images: Tensor, scale: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return stored images (uint8), or points in units of `scale`, as network values."""
    return to_float(images, dtype) if images.dtype == torch.uint8 else images.to(dtype) / scale


# Network input of a training step, made in one new tensor. The product with 1 / 127.5 differs from the quotient in
# `to_float` in the last bit of float32 for 111 of 256 levels. Trained runs depend on the one, scores on the other.


def to_network_input(
    pixels: Tensor, dtype: torch.dtype, layout: torch.memory_format = torch.contiguous_format
) -> Tensor:
    """Convert 0 ... 255 to [-1, 1], by multiplication."""
    return pixels.to(dtype, memory_format=layout).mul_(1 / 127.5).sub_(1)


def round_network_input(pictures: Tensor) -> Tensor:
    """Round [-1, 1] to 8-bit levels, so that a task's pictures are no finer than those a user can give."""
    return ((pictures + 1) * 127.5).round().mul_(1 / 127.5).sub_(1)


def _to_levels(images: Tensor) -> Tensor:
    """Round [-1, 1] to float levels 0 ... 255."""
    return ((images.float().clamp(-1, 1) + 1) * 127.5).round()
