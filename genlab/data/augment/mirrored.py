"""Images continued without end by reflection, and filters of them as matrices.

A filter of one axis is a matrix [outputs, side], and what is beyond the edges is part of it. On sides of tens to
hundreds of pixels that is quicker than padding and convolving, on a CPU seven times, and any size will do.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import one_hot


def reflected(places: Tensor, side: int) -> Tensor:
    """Which of `side` pixels lies at these whole places; the pixel at an edge is not repeated."""
    last = side - 1
    return last - (places.remainder(max(1, 2 * last)) - last).abs()


def filtering(taps: Tensor, places: Tensor, side: int) -> Tensor:
    """[..., O, side]: each of O outputs is the sum of its `taps` [..., O, T] times the pixels at `places` [O, T]."""
    pixels = one_hot(reflected(places, side), side).to(taps.dtype)
    return (taps.unsqueeze(-2) @ pixels).squeeze(-2)


def filtered(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, C, H', W'] by matrices [..., H', H] and [..., W', W] that broadcast to N and C."""
    return rows @ (images @ columns.mT)
