"""The one rule between 8-bit pixels, 0 ... 255, and what networks make and see, [-1, 1]."""

import torch
from torch import Tensor


def to_uint8(images: Tensor) -> Tensor:
    """[-1, 1] -> 0 ... 255. Values outside saturate, infinite ones too; nan has no meaning here."""
    return _to_levels(images).to(torch.uint8)


def to_float(pixels: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """0 ... 255 -> [-1, 1]."""
    return pixels.to(dtype) / 127.5 - 1


def as_saved(images: Tensor) -> Tensor:
    """Float images as they would come back from an 8-bit file; nan stays nan."""
    return to_float(_to_levels(images))


def network_values(images: Tensor, scale: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """Stored images (uint8), or points in units of `scale`, as networks see them."""
    return to_float(images, dtype) if images.dtype == torch.uint8 else images.to(dtype) / scale


# The hot path: a step's batch, in one new tensor. A product with 1 / 127.5 is not the quotient of `to_float`: of 256
# levels 111 differ in the last bit of float32. Trained runs depend on the one, scores on the other.


def to_network_input(
    pixels: Tensor, dtype: torch.dtype, layout: torch.memory_format = torch.contiguous_format
) -> Tensor:
    """0 ... 255 -> [-1, 1]."""
    return pixels.to(dtype, memory_format=layout).mul_(1 / 127.5).sub_(1)


def round_network_input(pictures: Tensor) -> Tensor:
    """[-1, 1] as an 8-bit file would hold it: what a task makes on the way is no finer than what a user can give."""
    return ((pictures + 1) * 127.5).round().mul_(1 / 127.5).sub_(1)


def _to_levels(images: Tensor) -> Tensor:
    """Float, 0 ... 255."""
    return ((images.float().clamp(-1, 1) + 1) * 127.5).round()
